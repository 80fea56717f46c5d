/** A server that speaks the wire protocol of model providers: the offline model, scripts for tests, load for benches. */
export { startModelSim } from './start-model-sim.ts'
export type { ModelSim, ModelSimOptions } from './start-model-sim.ts'
export type { ModelSimMode } from './model-names.ts'
export type { ReceivedRequest } from './request-log.ts'
export { ScriptError } from './script-fields.ts'
