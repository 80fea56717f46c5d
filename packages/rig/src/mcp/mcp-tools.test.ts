import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import { ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { describe, expect, it, vi } from 'vitest'
import { PIXEL, ToolsServer } from '../../test/mcp-tools-server.ts'
import { AgentBuilder } from '../agent/agent-builder.ts'
import type { Json } from '../completion/json.ts'
import { calls, says, ScriptedModel, toolCall } from '../testing/scripted-model.ts'
import { tool, type ToolContext } from '../tool/tool.ts'
import { ToolExecutionError } from '../tool/tool-error.ts'
import { ToolServer } from '../tool/tool-set.ts'
import { McpConnectionError } from './mcp-error.ts'
import type { McpToolsOptions } from './mcp-tools-options.ts'
import { mcpTools } from './mcp-tools.ts'

async function connected() {
  const server = new ToolsServer(() => void server.server.close())
  const client = new Client({ name: 'test', version: '1.0.0' })
  const noise: Error[] = []
  client.onerror = (error) => noise.push(error)
  const [near, far] = InMemoryTransport.createLinkedPair()
  await server.server.connect(far)
  await client.connect(near)
  return { server, client, noise, [Symbol.asyncDispose]: () => client.close() }
}

async function opened(options: McpToolsOptions = {}) {
  const connection = await connected()
  const tools = await mcpTools(connection.client, options)
  const call = (name: string, args: Json = {}, ctx: Partial<ToolContext> = {}) => {
    const found = tools.tools.find((candidate) => candidate.name === name)
    if (found === undefined) throw new Error(`No tool ${name}`)
    return Promise.resolve(found.parseArgs(args)).then((parsed) => found.call(parsed, contextOf(ctx)))
  }
  const dispose = async () => {
    await tools.close()
    await connection.client.close()
  }
  return { ...connection, tools, call, names: () => tools.tools.map(({ name }) => name), [Symbol.asyncDispose]: dispose }
}

function contextOf(given: Partial<ToolContext>): ToolContext {
  return {
    signal: new AbortController().signal, runId: 'run', turn: 1, depth: 0, toolCallId: 'call', internalCallId: 'internal', deps: undefined, metadata: new Map(), progress: () => undefined, ...given,
  }
}

const failure = async (work: Promise<unknown>): Promise<ToolExecutionError> => {
  const error: unknown = await work.then(() => undefined, (thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(ToolExecutionError)
  return error as ToolExecutionError
}

describe('the list', () => {
  it('has the tools of all pages, in the order of the server, with their descriptions and schemas', async () => {
    await using mcp = await opened()
    expect(mcp.names()).toEqual([
      'echo', 'picture', 'weather', 'nothing', 'fail', 'refuse', 'seen', 'environment', 'wait', 'cancellations', 'report', 'die', 'files_read_all', 'change',
    ])
    expect(await mcp.tools.tools[0]?.definition('')).toEqual({
      name: 'echo', description: 'Does echo.', parameters: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
    })
    expect(await mcp.tools.tools[1]?.definition('')).toEqual({ name: 'picture', description: 'Does picture.', parameters: { type: 'object', properties: {} } })
  })

  it('is narrowed by the names of the server and prefixed', async () => {
    await using mcp = await opened({ include: ['echo', 'files/read.all', 'fail'], exclude: ['fail'], prefix: 'disk_' })
    expect(mcp.names()).toEqual(['disk_echo', 'disk_files_read_all'])
    expect(await mcp.call('disk_files_read_all')).toMatchObject({ content: [{ text: 'read' }] })
  })

  it('is refused with options that make no sense', async () => {
    await using connection = await connected()
    await expect(mcpTools(connection.client, { prefix: 'a b' })).rejects.toThrow(TypeError)
    await expect(mcpTools(connection.client, { timeoutMs: 0 })).rejects.toThrow(RangeError)
    await expect(mcpTools(connection.client, { refreshTimeoutMs: Infinity })).rejects.toThrow(RangeError)
  })

  it('says why it could not be read', async () => {
    await using connection = await connected()
    connection.server.listFailure = 'out of order'
    const error: unknown = await mcpTools(connection.client).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(McpConnectionError)
    expect(error).toHaveProperty('message', expect.stringContaining('out of order'))
  })

  it('is given up when the server does not answer in time, or when the caller has no more use for it', async () => {
    await using connection = await connected()
    connection.server.server.setRequestHandler(ListToolsRequestSchema, () => new Promise<never>(() => undefined))
    await expect(mcpTools(connection.client, { refreshTimeoutMs: 50 })).rejects.toThrow('no answer within 50 ms')
    const controller = new AbortController()
    setTimeout(() => controller.abort(new Error('enough')), 50)
    await expect(mcpTools(connection.client, { signal: controller.signal })).rejects.toThrow('enough')
    await expect(mcpTools(connection.client, { signal: controller.signal })).rejects.toThrow('enough')
  })

  it('is given up when the server turns in circles', async () => {
    await using connection = await connected()
    connection.server.server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [], nextCursor: 'again' }))
    await expect(mcpTools(connection.client)).rejects.toThrow('never ends')
  })

  it('is empty for a server that knows no tools', async () => {
    const server = new Server({ name: 'bare', version: '1.0.0' }, { capabilities: {} })
    const client = new Client({ name: 'test', version: '1.0.0' })
    const [near, far] = InMemoryTransport.createLinkedPair()
    await server.connect(far)
    await client.connect(near)
    expect((await mcpTools(client)).tools).toEqual([])
    await client.close()
  })

  it('survives a tool whose output schema is broken', async () => {
    await using connection = await connected()
    const inputSchema = { type: 'object' as const }
    connection.server.server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [{ name: 'echo', inputSchema, outputSchema: { type: 'object' as const, properties: { a: { $ref: '#/nowhere' } } } }] }))
    await using tools = await mcpTools(connection.client)
    expect(tools.tools.map(({ name }) => name)).toEqual(['echo'])
  })
})

describe('a call', () => {
  it('sends arguments as an object and nothing as no arguments', async () => {
    await using mcp = await opened()
    expect(await mcp.call('seen', { a: [1], b: null })).toMatchObject({ content: [{ text: expect.stringContaining('"arguments":{"a":[1],"b":null}') as string }] })
    expect(await mcp.call('seen', null)).toMatchObject({ content: [{ text: expect.stringContaining('"arguments":{}') as string }] })
    expect(await failure(Promise.resolve().then(() => mcp.call('seen', 'text')))).toMatchObject({ kind: 'invalid_args' })
  })

  it('tells the server what the caller wants it to know, and not the model', async () => {
    await using mcp = await opened({ meta: (ctx) => ({ tenant: String(ctx.deps) }) })
    expect(await mcp.call('seen', {}, { deps: 'acme' })).toMatchObject({ content: [{ text: expect.stringContaining('"tenant":"acme"') as string }] })
    expect(JSON.stringify(await mcp.tools.tools[6]?.definition(''))).not.toContain('acme')
  })

  it('returns images as images', async () => {
    await using mcp = await opened()
    expect(await mcp.call('picture')).toMatchObject({ content: [{ type: 'text' }, { type: 'image', mediaType: 'image/png', source: { kind: 'base64', data: PIXEL } }] })
  })

  it('returns structured content once, and keeps the whole answer where only the host sees it', async () => {
    await using mcp = await opened({ prefix: 'x_' })
    const metadata = new Map<string, unknown>()
    expect(await mcp.call('x_weather', {}, { metadata })).toMatchObject({ content: [{ type: 'json', value: { sky: 'clear', degrees: 21 } }] })
    expect(metadata.get('mcp')).toMatchObject({ name: 'weather', server: 'everything', result: { structuredContent: { degrees: 21 }, _meta: { station: 'Turin' } } })
  })

  it('that fails says so in the words of the server', async () => {
    await using mcp = await opened()
    const metadata = new Map<string, unknown>()
    expect(await failure(mcp.call('fail', {}, { metadata }))).toMatchObject({ kind: 'provider', modelFeedback: 'The disk is full.\nDelete something.' })
    expect(metadata.get('mcp')).toMatchObject({ name: 'fail', result: { isError: true } })
  })

  it('with arguments that the server refuses is an error in the arguments', async () => {
    await using mcp = await opened()
    expect(await failure(mcp.call('refuse'))).toMatchObject({ kind: 'invalid_args', modelFeedback: 'text must not be empty', code: '-32602' })
  })

  it('that is aborted ends at once, and the server learns of it', async () => {
    await using mcp = await opened()
    const controller = new AbortController()
    const work = failure(mcp.call('wait', {}, { signal: controller.signal }))
    await mcp.server.waiting.promise
    const startedAt = performance.now()
    controller.abort(new Error('a secret reason'))
    expect(await work).toMatchObject({ kind: 'cancelled' })
    expect(performance.now() - startedAt).toBeLessThan(100)
    await vi.waitFor(() => expect(mcp.server.cancellations).toEqual(['cancelled by the caller']))
  })

  it('of an aborted run is never made', async () => {
    await using mcp = await opened()
    expect(await failure(mcp.call('wait', {}, { signal: AbortSignal.abort() }))).toMatchObject({ kind: 'cancelled' })
    await sleep(20)
    expect(mcp.server.cancellations).toEqual([])
  })

  it('that has been answered is not cancelled when its run is aborted later', async () => {
    await using mcp = await opened()
    const sent: unknown[] = []
    const transport = mcp.client.transport
    const send = transport?.send.bind(transport)
    if (transport !== undefined && send !== undefined) {
      transport.send = (message, options) => {
        sent.push(message)
        return send(message, options)
      }
    }
    const controller = new AbortController()
    await mcp.call('echo', { text: 'a' }, { signal: controller.signal })
    controller.abort()
    await sleep(20)
    expect(sent).toMatchObject([{ method: 'tools/call' }])
  })

  it('that takes too long ends with a timeout, and the server learns of it', async () => {
    await using mcp = await opened({ timeoutMs: 60 })
    expect(await failure(mcp.call('wait'))).toMatchObject({ kind: 'timeout', modelFeedback: 'The tool gave no answer within 60 ms' })
    await vi.waitFor(() => expect(mcp.server.cancellations).toEqual(['no answer within 60 ms']))
  })

  it('shows progress, which gives it no more time', async () => {
    await using mcp = await opened({ timeoutMs: 170 })
    const seen: Json[] = []
    expect(await failure(mcp.call('report', { steps: 9 }, { progress: (data) => seen.push(data) }))).toMatchObject({ kind: 'timeout' })
    expect(seen[0]).toEqual({ progress: 1, total: 9, message: 'step 1' })
    expect(seen.length).toBeLessThan(5)
  })

  it('may go on while it makes progress when that was asked for', async () => {
    await using mcp = await opened({ timeoutMs: 170, resetTimeoutOnProgress: true })
    expect(await mcp.call('report', { steps: 6 })).toMatchObject({ content: [{ text: 'reported' }] })
  })

  it('whose connection ends in the middle is a matter of the network', async () => {
    await using mcp = await opened()
    expect(await failure(mcp.call('die'))).toMatchObject({ kind: 'network', modelFeedback: 'the tool could not reach its upstream service' })
    expect(await failure(mcp.call('echo'))).toMatchObject({ kind: 'network' })
  })
})

describe('a list that changes', () => {
  const own = tool({ name: 'own', description: 'Ours.', call: () => 'own' })
  const only = (names: readonly string[]) => ({ include: ['change', 'echo', ...names] })

  it('reaches the sets that agents share: what is gone goes, what is new comes, what did not change stays the same tool', async () => {
    await using mcp = await opened(only(['one', 'two', 'three']))
    const shared = new ToolServer().add(own)
    mcp.tools.addTo(shared)
    await mcp.call('change', { names: ['one', 'two'] })
    await vi.waitFor(() => expect(shared.names).toEqual(['own', 'echo', 'change', 'one', 'two']))
    const [echo, one] = [shared.get('echo'), shared.get('one')]
    await mcp.call('change', { names: ['one', 'three'] })
    await vi.waitFor(() => expect(shared.names).toEqual(['own', 'echo', 'change', 'one', 'three']))
    expect(shared.get('echo')).toBe(echo)
    expect(shared.get('one')).toBe(one)
    expect(mcp.names()).toEqual(['echo', 'change', 'one', 'three'])
    await mcp.call('change', { names: ['one', 'three'], description: 'New.' })
    await vi.waitFor(async () => expect(await shared.get('one')?.definition('')).toMatchObject({ description: 'New.' }))
    expect(shared.get('echo')).toBe(echo)
    expect(shared.get('own')).toBe(own)
  })

  it('is not added when one name is taken', async () => {
    await using mcp = await opened(only([]))
    const shared = new ToolServer().add(tool({ name: 'change', description: 'Ours.', call: () => 'own' }))
    expect(() => mcp.tools.addTo(shared)).toThrow('"change"')
    expect(shared.names).toEqual(['change'])
  })

  it('stays as it was, in every set, when a new name is taken in one; that is reported', async () => {
    const errors: Error[] = []
    await using mcp = await opened({ ...only(['own', 'other']), onError: (error) => errors.push(error) })
    const [first, second] = [new ToolServer(), new ToolServer().add(own)]
    mcp.tools.addTo(first)
    mcp.tools.addTo(second)
    await mcp.call('change', { names: ['own', 'other'] })
    await vi.waitFor(() => expect(errors).toMatchObject([{ message: expect.stringContaining('"own"') as string }]))
    expect(first.names).toEqual(['echo', 'change'])
    expect(second.names).toEqual(['own', 'echo', 'change'])
    expect(mcp.names()).toEqual(['echo', 'change'])
    await mcp.call('change', { names: ['other'] })
    await vi.waitFor(() => expect(second.names).toEqual(['own', 'echo', 'change', 'other']))
  })

  it('stays as it was when it cannot be read; that is reported, and the next change is followed', async () => {
    const errors: Error[] = []
    await using mcp = await opened({ ...only(['one']), onError: (error) => errors.push(error) })
    mcp.server.listFailure = 'out of order'
    await mcp.call('change', { names: ['one'] })
    await vi.waitFor(() => expect(errors).toHaveLength(1))
    expect(mcp.names()).toEqual(['echo', 'change'])
    mcp.server.listFailure = undefined
    await mcp.server.server.sendToolListChanged()
    await vi.waitFor(() => expect(mcp.names()).toEqual(['echo', 'change', 'one']))
  })

  it('leaves a tool alone that somebody took out or replaced', async () => {
    await using mcp = await opened(only(['one', 'two']))
    await mcp.call('change', { names: ['one', 'two'] })
    await vi.waitFor(() => expect(mcp.names()).toContain('two'))
    const shared = new ToolServer()
    mcp.tools.addTo(shared)
    const replacement = tool({ name: 'two', description: 'Ours.', call: () => 'own' })
    shared.removeTool('one').removeTool('two').add(replacement)
    for (const description of ['New.', 'Newer.']) {
      await mcp.call('change', { names: ['one', 'two'], description })
      await vi.waitFor(async () => expect(await mcp.tools.tools.at(-1)?.definition('')).toMatchObject({ description }))
    }
    expect(shared.get('one')).toBeUndefined()
    expect(shared.get('two')).toBe(replacement)
  })

  it('is read once more, not ten times, when changes come in a burst', async () => {
    await using mcp = await opened(only(['one']))
    const before = mcp.server.lists
    mcp.server.extra = ['one']
    for (let n = 0; n < 10; n++) void mcp.server.server.sendToolListChanged()
    await vi.waitFor(() => expect(mcp.names()).toContain('one'))
    await sleep(50)
    expect((mcp.server.lists - before) / 4).toBeLessThanOrEqual(2)
  })

  it('is followed by every set of tools on the same client, and by none after it was closed', async () => {
    await using mcp = await opened(only(['one', 'two']))
    const second = await mcpTools(mcp.client, { prefix: 'second_', ...only(['one', 'two']) })
    const shared = new ToolServer()
    second.addTo(shared)
    await mcp.call('change', { names: ['one'] })
    await vi.waitFor(() => expect([mcp.names().length, second.tools.length]).toEqual([3, 3]))
    await second[Symbol.asyncDispose]()
    await mcp.call('change', { names: ['one', 'two'] })
    await vi.waitFor(() => expect(mcp.names()).toContain('two'))
    expect(shared.names).toEqual(['second_echo', 'second_change', 'second_one'])
    expect(await shared.call('second_echo', { text: 'still' }, contextOf({}))).toMatchObject({ status: 'success' })
  })

  it('is not followed when that was not wanted, or once its signal was aborted', async () => {
    await using mcp = await opened({ ...only(['one']), refresh: false })
    const controller = new AbortController()
    const stopped = await mcpTools(mcp.client, { ...only(['one']), signal: controller.signal })
    controller.abort()
    await mcp.call('change', { names: ['one'] })
    await sleep(50)
    expect(mcp.names()).toEqual(['echo', 'change'])
    expect(stopped.tools).toHaveLength(2)
  })
})

describe('an agent', () => {
  it('uses tools of a server like its own, the ones included that came during the run', async () => {
    await using mcp = await opened({ include: ['picture', 'change', 'late'] })
    const shared = new ToolServer()
    mcp.tools.addTo(shared)
    const model = new ScriptedModel([calls(toolCall('a', 'picture'), toolCall('b', 'change', { names: ['late'] })), calls(toolCall('c', 'picture')), calls(toolCall('d', 'late')), says('done')])
    const notes: unknown[] = []
    const agent = new AgentBuilder(model).toolServer(shared).hook({ onToolResult: (_ctx, { metadata }) => void notes.push(metadata.get('mcp')) }).build()
    const response = await agent.run('Go', { maxTurns: 5 })
    expect(response.output).toBe('done')
    expect(model.requests[0]?.tools?.map(({ name }) => name)).toEqual(['picture', 'change'])
    expect(model.requests[3]?.tools?.map(({ name }) => name)).toEqual(['picture', 'change', 'late'])
    expect(response.messages[2]).toMatchObject({ content: [{ type: 'tool_result', id: 'a', content: [{ type: 'text' }, { type: 'image' }] }, { id: 'b' }] })
    expect(response.messages[6]).toMatchObject({ content: [{ content: [{ text: 'late ran' }] }] })
    expect(notes).toMatchObject([{ name: 'picture' }, { name: 'change' }, { name: 'picture' }, { name: 'late' }])
  })
})
