/** What goes from the bench to its measuring processes and back, checked at the border. */
import { z } from 'zod'
import type { Measurement, Work } from './measure.ts'

const workSchema = z.union([
  z.object({ type: z.literal('text'), deltas: z.number(), perSecond: z.number().exactOptional() }),
  z.object({ type: z.literal('steps'), steps: z.number(), window: z.number(), total: z.number() }),
])
const measurementSchema = z.object({ perUnit: z.number(), first: z.number(), last: z.number() })

export function parseWork(text: string): Work {
  return workSchema.parse(JSON.parse(text))
}

export function parseMeasurement(text: string): Measurement {
  return measurementSchema.parse(JSON.parse(text))
}
