import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { lockHolder, takeProcessLock } from './process-lock.ts'
import { findProcess, isRunning, signalProcess } from './running-process.ts'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'buildscale-lock-'))
  path = join(directory, 'lock')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const holdBy = (holder: object): void => writeFileSync(path, JSON.stringify(holder))

it('is held by one process until it is released, and leaves no file behind', () => {
  const first = takeProcessLock(path)
  expect(first.type).toBe('taken')
  expect(takeProcessLock(path)).toEqual({ type: 'held', pid: process.pid })
  if (first.type === 'taken') first.lock.release()
  expect(readdirSync(directory)).toEqual([])
  expect(takeProcessLock(path).type).toBe('taken')
})

it('of a process that has ended is free', async () => {
  const child = spawn('sleep', ['60'])
  const identity = findProcess(child.pid ?? 0)
  holdBy(identity ?? {})
  expect(takeProcessLock(path)).toEqual({ type: 'held', pid: child.pid })
  await new Promise((done) => child.once('exit', done).kill('SIGKILL'))
  expect(takeProcessLock(path).type).toBe('taken')
  expect(readdirSync(directory)).toEqual(['lock'])
})

it('of an earlier process with the same number is free', () => {
  holdBy({ pid: process.pid, startedAt: 'another boot/1' })
  expect(lockHolder(path)).toBeUndefined()
  expect(takeProcessLock(path).type).toBe('taken')
})

it.each(['', '{"pid":', 'null', '{"pid":"1"}'])('in a file that a power cut left as %j is free', (text) => {
  writeFileSync(path, text)
  expect(takeProcessLock(path).type).toBe('taken')
})

it('that somebody else took over meanwhile is not released', () => {
  const mine = takeProcessLock(path)
  holdBy({ pid: 1, startedAt: 'other' })
  if (mine.type === 'taken') mine.lock.release()
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ pid: 1, startedAt: 'other' })
})

it('of a dead holder goes to exactly one of many programs that want it at once', async () => {
  holdBy({ pid: process.pid, startedAt: 'another boot/1' })
  const program = `import { takeProcessLock } from ${JSON.stringify(join(import.meta.dirname, 'process-lock.ts'))}
    console.log(takeProcessLock(${JSON.stringify(path)}).type)
    process.stdin.resume()`
  const children = Array.from({ length: 6 }, () => spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'inherit'] }))
  const answers = await Promise.all(children.map((child) => new Promise<string>((done) => child.stdout.once('data', (chunk: Buffer) => done(chunk.toString().trim())))))
  for (const child of children) child.kill('SIGKILL')
  expect(answers.sort()).toEqual(['held', 'held', 'held', 'held', 'held', 'taken'])
})

it.each([0, -1, 1, Number.NaN, 1.5])('never looks at or signals the number %d, which stands for groups or for everything', (pid) => {
  expect(findProcess(pid)).toBeUndefined()
  expect(signalProcess({ pid, startedAt: '' }, 'SIGTERM')).toBe(false)
})

it.runIf(process.platform === 'linux')('takes a zombie for ended', async () => {
  const careless = spawn('sh', ['-c', 'sh -c "echo \\$\\$" & exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] })
  const zombie = await new Promise<number>((done) => careless.stdout.once('data', (chunk: Buffer) => done(Number(chunk.toString()))))
  await expect.poll(() => readFileSync(`/proc/${zombie}/stat`, 'utf8')).toMatch(/\) Z /)
  expect(process.kill(zombie, 0)).toBe(true)
  expect(findProcess(zombie)).toBeUndefined()
  careless.kill('SIGKILL')
})

it('tells a running process from an earlier one with its number', () => {
  const me = findProcess(process.pid)
  expect(me !== undefined && isRunning(me)).toBe(true)
  expect(isRunning({ pid: process.pid, startedAt: 'earlier' })).toBe(false)
})
