import { context, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-base'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { AgentBuilder } from '../agent/agent-builder.ts'
import { calls, says, ScriptedModel, toolCall } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import { ToolExecutionError } from '../tool/tool-error.ts'
import { CompletionError } from '../errors.ts'
import { openTelemetry, type OpenTelemetryOptions } from './open-telemetry.ts'

beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()))
afterAll(() => context.disable())

function recorder() {
  const exporter = new InMemorySpanExporter()
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  return { tracerProvider, spans: () => exporter.getFinishedSpans(), named: (name: string) => exporter.getFinishedSpans().filter((span) => span.name === name) }
}

const look = tool({ name: 'look', description: 'Looks.', call: () => 'a secret result' })

function agentWith(model: ScriptedModel, options: OpenTelemetryOptions) {
  return new AgentBuilder(model).name('clerk').preamble('Be brief.').tool(look).telemetry(openTelemetry(options)).build()
}

const parentOf = (span: ReadableSpan | undefined) => span?.parentSpanContext?.spanId
const idOf = (span: ReadableSpan | undefined) => span?.spanContext().spanId

it('records a run as one invocation with a child per model call and per tool call', async () => {
  const { tracerProvider, spans, named } = recorder()
  const model = new ScriptedModel([calls(toolCall('call_1', 'look', {})), says('Done.')])
  await agentWith(model, { tracerProvider }).run('Go')
  expect(spans().map(({ name }) => name)).toEqual([`chat ${model.model}`, 'execute_tool look', `chat ${model.model}`, 'invoke_agent clerk'])
  const [run] = named('invoke_agent clerk')
  for (const child of spans().slice(0, 3)) expect(parentOf(child)).toBe(idOf(run))
  expect(run?.attributes).toMatchObject({ 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'clerk', 'gen_ai.response.finish_reasons': ['stop'] })
  expect(named('execute_tool look')[0]?.attributes).toMatchObject({ 'gen_ai.tool.name': 'look', 'gen_ai.tool.call.id': 'call_1', 'gen_ai.tool.call.outcome': 'success' })
})

it('records nothing of what is said unless it is told to', async () => {
  const script = () => new ScriptedModel([calls(toolCall('call_1', 'look', { at: 'a secret place' })), says('A secret answer.')])
  const silent = recorder()
  await agentWith(script(), { tracerProvider: silent.tracerProvider }).run('A secret question')
  expect(JSON.stringify(silent.spans().map(({ attributes }) => attributes))).not.toContain('secret')
  const open = recorder()
  await agentWith(script(), { tracerProvider: open.tracerProvider, recordContent: true }).run('A secret question')
  const text = JSON.stringify(open.spans().map(({ attributes }) => attributes))
  for (const said of ['A secret question', 'a secret place', 'a secret result', 'A secret answer.', 'Be brief.']) expect(text).toContain(said)
})

it('makes spans that a tool opens, and agents that it asks, children of its call', async () => {
  const { tracerProvider, named } = recorder()
  const own = tool({ name: 'own', description: 'Opens a span.', call: () => tracerProvider.getTracer('test').startActiveSpan('inside', (span) => span.end()) })
  const helper = agentWith(new ScriptedModel([says('Helped.')]), { tracerProvider })
  const model = new ScriptedModel([calls(toolCall('call_1', 'own', {}), toolCall('call_2', 'helper', { prompt: 'Help' })), says('Done.')])
  const agent = new AgentBuilder(model).name('boss').tools([own, helper.asTool({ name: 'helper' })]).telemetry(openTelemetry({ tracerProvider })).build()
  await agent.run('Go')
  expect(parentOf(named('inside')[0])).toBe(idOf(named('execute_tool own')[0]))
  expect(parentOf(named('invoke_agent clerk')[0])).toBe(idOf(named('execute_tool helper')[0]))
})

it('ends every span of a run that fails, with the type of the failure', async () => {
  const { tracerProvider, spans } = recorder()
  const failing = tool({ name: 'look', description: 'Fails.', call: () => Promise.reject(new ToolExecutionError('network', 'no line')) })
  const model = new ScriptedModel([calls(toolCall('call_1', 'look', {})), { type: 'error', error: new CompletionError('provider_response', 'no', { status: 503 }) }])
  await expect(new AgentBuilder(model).name('clerk').tool(failing).telemetry(openTelemetry({ tracerProvider })).build().run('Go')).rejects.toThrow('no')
  expect(spans().map(({ attributes }) => attributes['error.type'])).toEqual([undefined, 'network', '503', '503'])
})

it('ends the spans of a stream when the consumer leaves', async () => {
  const { tracerProvider, spans } = recorder()
  const agent = agentWith(new ScriptedModel([{ type: 'hanging', content: [{ type: 'text', text: 'so' }] }]), { tracerProvider })
  for await (const item of agent.stream('Go')) if (item.type === 'streamAssistantItem') break
  expect(spans().map(({ name }) => name.split(' ')[0])).toEqual(['chat', 'invoke_agent'])
})

it('needs no registered SDK', async () => {
  expect(trace.getActiveSpan()).toBeUndefined()
  await expect(agentWith(new ScriptedModel([says('Done.')]), {}).run('Go')).resolves.toMatchObject({ output: 'Done.' })
})
