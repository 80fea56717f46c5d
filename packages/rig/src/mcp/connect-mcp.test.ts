import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { startMcpHttpServer } from '../../test/mcp-http-server.ts'
import type { Json } from '../completion/json.ts'
import { ToolServer } from '../tool/tool-set.ts'
import type { ToolContext } from '../tool/tool.ts'
import { connectMcp, type McpConnection } from './connect-mcp.ts'
import { McpConnectionError } from './mcp-error.ts'

const SERVER = fileURLToPath(new URL('../../test/mcp-stdio-server.ts', import.meta.url))
const program = (...args: readonly string[]) => ({ command: process.execPath, args: [SERVER, ...args] })

function call({ tools }: McpConnection, name: string, { args = {}, signal = new AbortController().signal }: { args?: Json; signal?: AbortSignal } = {}) {
  const shared = new ToolServer()
  tools.addTo(shared)
  const ctx: ToolContext = { signal, runId: 'run', turn: 1, depth: 0, toolCallId: 'call', internalCallId: 'internal', deps: undefined, metadata: new Map(), progress: () => undefined }
  return shared.call(name, args, ctx)
}

const pidOf = ({ client }: McpConnection): number => (client.transport as unknown as { pid: number }).pid

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('a program', () => {
  afterEach(() => {
    delete process.env['PLANTED_SECRET']
  })

  it('is started, offers its tools and is gone after the end', async () => {
    const connection = await connectMcp(program(), { prefix: 'p_' })
    const pid = pidOf(connection)
    expect(await call(connection, 'p_echo', { args: { text: 'hello' } })).toMatchObject({ status: 'success', content: [{ text: 'hello' }] })
    await connection.close()
    expect(isRunning(pid)).toBe(false)
    await connection.close()
  })

  it('gets no secret of ours, but what it is given', async () => {
    process.env['PLANTED_SECRET'] = 'sk-123'
    await using connection = await connectMcp({ ...program(), env: { GIVEN: 'yes' } })
    const outcome = await call(connection, 'environment')
    const [block] = outcome.content
    const names = JSON.parse(block?.type === 'text' ? block.text : '[]') as string[]
    expect(names).toContain('GIVEN')
    expect(names).toContain('PATH')
    expect(names).not.toContain('PLANTED_SECRET')
    expect(names.filter((name) => !['GIVEN', 'HOME', 'LOGNAME', 'PATH', 'SHELL', 'TERM', 'USER'].includes(name))).toEqual([])
  })

  it('that dies in mid-call fails the call at once, and every later one', async () => {
    await using connection = await connectMcp(program())
    expect(await call(connection, 'die')).toMatchObject({ status: 'error', error: { kind: 'network' } })
    expect(await call(connection, 'echo')).toMatchObject({ status: 'error', error: { kind: 'network' } })
  })

  it('learns that a call was cancelled', async () => {
    await using connection = await connectMcp(program())
    const controller = new AbortController()
    const work = call(connection, 'wait', { signal: controller.signal })
    setTimeout(() => controller.abort(), 50)
    expect(await work).toMatchObject({ error: { kind: 'cancelled' } })
    expect(await call(connection, 'cancellations')).toMatchObject({ content: [{ text: '["cancelled by the caller"]' }] })
  })

  it('that ignores every hint to go is killed', async () => {
    const connection = await connectMcp(program('deaf'))
    const pid = pidOf(connection)
    await connection.close()
    expect(isRunning(pid)).toBe(false)
  })

  it('that cannot be started, ends at once or says nothing is no connection, and leaves nothing behind', async () => {
    await expect(connectMcp({ command: join(import.meta.dirname, 'no-such-program') })).rejects.toThrow(McpConnectionError)
    await expect(connectMcp({ command: process.execPath, args: ['-e', '0'] })).rejects.toThrow(/could not be connected to.*Connection closed/)
    await expect(connectMcp(program('mute', 'deaf'), { connectTimeoutMs: 300 })).rejects.toThrow('no answer within 300 ms')
  })

  it('is not started for a caller who has given up', async () => {
    await expect(connectMcp(program(), { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
  })

  it('is ended when its tools cannot be used', async () => {
    const children = () => process.getActiveResourcesInfo().filter((name) => name === 'ProcessWrap').length
    const before = children()
    await expect(connectMcp(program(), { prefix: 'not a prefix' })).rejects.toThrow(TypeError)
    expect(children()).toBe(before)
  })
})

describe('a server over HTTP', () => {
  it('is sent the headers with every request, and told when the session is over', async () => {
    await using server = await startMcpHttpServer()
    const connection = await connectMcp({ url: server.url, headers: { authorization: 'Bearer abc' } })
    expect(await call(connection, 'echo', { args: { text: 'hello' } })).toMatchObject({ content: [{ text: 'hello' }] })
    await connection.close()
    expect(server.headers.length).toBeGreaterThan(3)
    expect(server.headers.every(({ authorization }) => authorization === 'Bearer abc')).toBe(true)
    expect(server.endedSessions).toHaveLength(1)
  })

  it('has its changed list followed', async () => {
    await using server = await startMcpHttpServer()
    await using connection = await connectMcp({ url: server.url }, { include: ['change', 'one'] })
    const shared = new ToolServer()
    connection.tools.addTo(shared)
    // The stream for notifications is opened in the background: until it is there the server has nobody to tell.
    await vi.waitFor(async () => {
      await call(connection, 'change', { args: { names: ['one'] } })
      expect(shared.names).toEqual(['change', 'one'])
    }, { timeout: 5000 })
  })

  it.each([0, 100])('learns that a call was cancelled, and keeps no stream open for it, %i ms after it began', async (delayMs) => {
    await using server = await startMcpHttpServer()
    await using connection = await connectMcp({ url: server.url })
    const controller = new AbortController()
    const work = call(connection, 'wait', { signal: controller.signal })
    await server.sessions[0]?.waiting.promise
    await sleep(delayMs)
    expect(server.openAnswers()).toBe(1)
    controller.abort()
    expect(await work).toMatchObject({ error: { kind: 'cancelled' } })
    await vi.waitFor(() => expect(server.sessions[0]?.cancellations).toEqual(['cancelled by the caller']))
    await vi.waitFor(() => expect(server.openAnswers()).toBe(0))
    expect(await call(connection, 'echo', { args: { text: 'on' } })).toMatchObject({ content: [{ text: 'on' }] })
  })

  it.each([0, 200])('that breaks off in mid-call, %i ms after it began, fails the call at once, not at its timeout', async (afterMs) => {
    await using server = await startMcpHttpServer()
    await using connection = await connectMcp({ url: server.url })
    const noise: string[] = []
    connection.client.onerror = (error) => noise.push(error.message)
    const startedAt = performance.now()
    expect(await call(connection, 'die', { args: { afterMs } })).toMatchObject({ status: 'error', error: { kind: 'network' } })
    expect(performance.now() - startedAt).toBeLessThan(2000)
    expect(await call(connection, 'echo', { args: { text: 'again' } })).toMatchObject({ content: [{ text: 'again' }] })
    expect(noise.filter((message) => message.includes('unknown message ID'))).toEqual([])
  })

  it('that answers with a status is understood by it, and its page is not shown to the model', async () => {
    await using server = await startMcpHttpServer()
    await using connection = await connectMcp({ url: server.url })
    for (const [status, kind] of [[401, 'permission_denied'], [429, 'rate_limited'], [503, 'network']] as const) {
      server.refuseWith(status)
      const outcome = await call(connection, 'echo')
      expect(outcome).toMatchObject({ error: { kind, httpStatus: status } })
      expect(JSON.stringify(outcome.content)).not.toContain('10.0.0.7')
    }
  })

  it('that is not there is no connection', async () => {
    const gone = createServer().listen(0, '127.0.0.1')
    await once(gone, 'listening')
    const { port } = gone.address() as AddressInfo
    gone.close()
    await once(gone, 'close')
    await expect(connectMcp({ url: `http://127.0.0.1:${port}/mcp` })).rejects.toThrow(McpConnectionError)
  })
})

it('says what to install where the SDK is missing', async () => {
  const hide = `import { registerHooks } from 'node:module'
    registerHooks({ resolve(specifier, context, next) {
      if (!specifier.startsWith('@modelcontextprotocol/')) return next(specifier, context)
      throw Object.assign(new Error("Cannot find package '@modelcontextprotocol/sdk'"), { code: 'ERR_MODULE_NOT_FOUND' })
    } })
    const { connectMcp } = await import(${JSON.stringify(join(import.meta.dirname, 'index.ts'))})
    await connectMcp({ url: 'http://127.0.0.1:9/' }).catch((error) => console.log(error.name, error.message))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', hide], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  await once(child, 'close')
  expect(output).toContain('ConfigError')
  expect(output).toContain('npm install @modelcontextprotocol/sdk')
})
