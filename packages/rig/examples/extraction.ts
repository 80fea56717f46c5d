// Data out of text, checked and typed by a schema. A failed attempt is made again once.
import { openai } from '@buildscale/rig'
import { z } from 'zod'

const Invoice = z.object({
  number: z.string(),
  total: z.number().describe('In euros'),
  due: z.iso.date().optional(),
})

const extractor = openai.Client.fromEnv().extractor(openai.GPT_5_2, Invoice).retries(1).build()
const { data, usage } = await extractor.extractWithUsage('Invoice A-17, to be paid by 2 March 2026: 120 EUR.')

console.log(`${data.number}: ${data.total.toFixed(2)} EUR, due ${data.due ?? 'at once'} (${usage.totalTokens} tokens)`)
