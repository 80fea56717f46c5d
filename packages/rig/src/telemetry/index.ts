/** The entry point `@buildscale/rig/otel`: spans through `@opentelemetry/api`, which only this part needs. */
export { openTelemetry, type OpenTelemetryOptions } from './open-telemetry.ts'
