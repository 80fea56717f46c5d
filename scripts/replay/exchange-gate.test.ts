import { setImmediate } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { ExchangeGate } from './exchange-gate.ts'

it('lets requests through one by one, in their recorded order', async () => {
  const gate = new ExchangeGate(3)
  const passed: number[] = []
  const entered = [2, 1, 0].map((exchange) => gate.enter(exchange).then(() => passed.push(exchange)))
  await setImmediate()
  expect(passed).toEqual([0])
  expect(gate.arrived()).toBe(0)
  await setImmediate()
  expect(passed).toEqual([0, 1])
  gate.abandon([1])
  await Promise.all(entered)
  expect(passed).toEqual([0, 1, 2])
})

it('knows a request that nobody was to send', () => {
  expect(new ExchangeGate(1).arrived()).toBe(undefined)
})

it('lets nobody in once it is closed', async () => {
  const gate = new ExchangeGate(2)
  const waiting = gate.enter(1)
  gate.close()
  await expect(waiting).rejects.toThrow('ended')
  await expect(gate.enter(0)).rejects.toThrow('ended')
})
