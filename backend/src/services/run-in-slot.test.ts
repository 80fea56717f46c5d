import { Semaphore } from 'async-mutex'
import { expect, it } from 'vitest'
import { runInSlot } from './run-in-slot.ts'

it('runs as many at once as there are slots, and lets who waits for one give up', async () => {
  const slots = new Semaphore(1)
  const first = Promise.withResolvers<string>()
  const stop = new AbortController()
  const running = runInSlot(slots, stop.signal, () => first.promise)
  const reason = new Error('stopped')
  const impatient = new AbortController()
  const waiting = runInSlot(slots, impatient.signal, () => Promise.resolve('never'))
  const patient = runInSlot(slots, stop.signal, () => Promise.resolve('second'))
  impatient.abort(reason)
  await expect(waiting).rejects.toBe(reason)
  first.resolve('first')
  expect(await Promise.all([running, patient])).toEqual(['first', 'second'])
  await expect(runInSlot(slots, stop.signal, () => Promise.reject(reason))).rejects.toBe(reason)
  expect(await runInSlot(slots, stop.signal, () => Promise.resolve('third'))).toBe('third')
  await expect(runInSlot(slots, AbortSignal.abort(reason), () => Promise.resolve('never'))).rejects.toBe(reason)
})
