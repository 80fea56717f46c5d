/// <reference lib="esnext.disposable" preserve="true" />
import assert from 'node:assert/strict'
import type { StreamedAssistantContent } from '../completion/completion-event.ts'
import type { CompletionModel } from '../completion/completion-model.ts'
import { Message, textOf } from '../completion/message.ts'
import type { AssistantContent } from '../completion/message-types.ts'
import type { Usage } from '../completion/usage.ts'
import { CompletionError } from '../errors.ts'
import { calls, says, toolCall, type ScriptedTurn } from './scripted-model.ts'

/** A model under test, connected to something that answers as the script says. */
export interface ModelUnderTest extends AsyncDisposable {
  readonly model: CompletionModel
}

/** Makes a model whose calls are answered by `turns`, in order. */
export type MakeModel = (turns: readonly ScriptedTurn[]) => Promise<ModelUnderTest>

/** What a wire can carry: not every provider tells of its reasoning, or counts tokens, in the same way. */
export interface ConformanceTraits {
  /** `summary-encrypted`: an id, summaries and encrypted content; `text`: plain text; `signed-text`: text with its signature. */
  readonly reasoning: 'summary-encrypted' | 'text' | 'signed-text' | 'none'
  /** `subset`: cached tokens are a part of the input; `extra`: they come on top of it, and reasoning is not counted; `none`: they are not told. */
  readonly cachedTokens: 'subset' | 'extra' | 'none'
}

/** One promise that every model keeps. Throws when this one does not. */
export interface ConformanceCase {
  readonly title: string
  run(make: MakeModel, traits?: ConformanceTraits): Promise<void>
}

/** The part of a test runner that is needed. */
export interface TestRunner {
  describe(title: string, body: () => void): void
  it(title: string, body: () => Promise<void>): void
}

/** How the promises are registered and checked; without `traits` everything is expected that the parts of a message can hold. */
export interface ConformanceOptions extends TestRunner {
  readonly traits?: ConformanceTraits
}

/** Registers one test per promise of the `CompletionModel` interface. */
export function describeModelConformance(name: string, makeModel: MakeModel, { describe, it, traits }: ConformanceOptions): void {
  describe(`${name} as a completion model`, () => {
    for (const { title, run } of MODEL_CONFORMANCE) it(title, () => run(makeModel, traits))
  })
}

const EVERYTHING: ConformanceTraits = { reasoning: 'summary-encrypted', cachedTokens: 'subset' }

/** An answer with everything that the wire can carry. */
function mixedAnswer({ reasoning, cachedTokens }: ConformanceTraits): Extract<ScriptedTurn, { type: 'answer' }> & { readonly usage: Usage } {
  return { type: 'answer', content: [...REASONING[reasoning], ...SAID], usage: USAGES[cachedTokens] }
}

const USAGE: Usage = { inputTokens: 11, outputTokens: 7, totalTokens: 18, cachedInputTokens: 3, cacheCreationInputTokens: 0, reasoningTokens: 2, toolUsePromptTokens: 0 }
const USAGES: Readonly<Record<ConformanceTraits['cachedTokens'], Usage>> = {
  subset: USAGE,
  extra: { ...USAGE, totalTokens: 26, cacheCreationInputTokens: 5, reasoningTokens: 0 },
  none: { ...USAGE, cachedInputTokens: 0 },
}
const SAID: readonly AssistantContent[] = [{ type: 'text', text: 'I will look.' }, toolCall('call_1', 'look', { path: '/ä' })]
const REASONING: Readonly<Record<ConformanceTraits['reasoning'], readonly AssistantContent[]>> = {
  'summary-encrypted': [{ type: 'reasoning', id: 'rs_1', content: [{ type: 'summary', text: 'Look first.' }, { type: 'encrypted', data: 'opaque' }] }],
  text: [{ type: 'reasoning', content: [{ type: 'text', text: 'Look first.' }] }],
  'signed-text': [{ type: 'reasoning', content: [{ type: 'text', text: 'Look first.', signature: 'signed' }] }],
  none: [],
}

export const MODEL_CONFORMANCE: readonly ConformanceCase[] = [
  {
    title: 'streams text whose deltas add up to the whole answer',
    run: (make) => withModel(make, [says('Grüße aus 東京 🗼')], async (model) => {
      const stream = model.stream(request())
      const items = await all(stream)
      assert.equal(items.map((item) => (item.type === 'text' ? item.text : '')).join(''), 'Grüße aus 東京 🗼')
      assert.equal(textOf((await stream.response).choice), 'Grüße aus 東京 🗼')
    }),
  },
  {
    title: 'ends a stream with exactly one final item, after everything else',
    run: (make, traits = EVERYTHING) => withModel(make, [mixedAnswer(traits)], async (model) => {
      const items = await all(model.stream(request()))
      assert.deepEqual(items.filter(({ type }) => type === 'final'), items.slice(-1))
    }),
  },
  {
    title: 'gives the same parts, usage and finish reason whether it streams or not',
    run: async (make, traits = EVERYTHING) => {
      const answer = mixedAnswer(traits)
      const parts = answer.content.map(bare)
      await withModel(make, [answer, answer], async (model) => {
        const whole = await model.completion(request())
        const streamed = await model.stream(request()).response
        assert.deepEqual(whole.choice.map(bare), parts)
        assert.deepEqual(streamed.choice.map(bare), parts)
        assert.deepEqual([whole.usage, whole.usageKnown, whole.finishReason], [answer.usage, true, 'tool_calls'])
        assert.deepEqual([streamed.usage, streamed.usageKnown, streamed.finishReason], [answer.usage, true, 'tool_calls'])
      })
    },
  },
  {
    title: 'hands out several tool calls in their order, each with an id of its own',
    run: (make) => withModel(make, [calls(toolCall('call_a', 'first', { n: 1 }), toolCall('call_b', 'second', { n: 2 }))], async (model) => {
      const items = await all(model.stream(request()))
      const handed = items.flatMap((item) => (item.type === 'tool_call' ? [item] : []))
      assert.deepEqual(handed.map(({ toolCall: call }) => [call.id, call.function.name, call.function.arguments]), [['call_a', 'first', { n: 1 }], ['call_b', 'second', { n: 2 }]])
      assert.equal(new Set(handed.map(({ internalCallId }) => internalCallId)).size, 2)
    }),
  },
  {
    title: 'rejects a stream that ends early and hands out no call of it',
    run: (make) => withModel(make, [{ type: 'truncated', content: [{ type: 'text', text: 'half' }] }], async (model) => {
      const stream = model.stream(request(), { retry: false })
      await assert.rejects(all(stream), (error) => error instanceof CompletionError && error.kind === 'truncated_stream')
      await assert.rejects(stream.response)
    }),
  },
  {
    title: 'ends a call that is aborted, as aborted',
    run: (make) => withModel(make, [{ type: 'hanging', content: [{ type: 'text', text: 'so' }] }], async (model) => {
      const controller = new AbortController()
      const stream = model.stream(request(), { signal: controller.signal })
      const reading = all(stream, () => controller.abort())
      await assert.rejects(reading, (error) => error instanceof CompletionError && error.kind === 'aborted')
    }),
  },
  {
    title: 'ends the call when the consumer leaves',
    run: (make) => withModel(make, [{ type: 'hanging', content: [{ type: 'text', text: 'so' }] }], async (model) => {
      const stream = model.stream(request())
      for await (const item of stream) if (item.type === 'text') break
      await assert.rejects(stream.response, (error) => error instanceof CompletionError && error.kind === 'aborted')
    }),
  },
]

function request() {
  return { messages: [Message.user('Hello')], tools: [{ name: 'look', description: 'Looks.', parameters: { type: 'object', properties: {} } }] }
}

async function withModel(make: MakeModel, turns: readonly ScriptedTurn[], use: (model: CompletionModel) => Promise<void>): Promise<void> {
  const subject = await make(turns)
  try {
    await use(subject.model)
  } finally {
    await subject[Symbol.asyncDispose]()
  }
}

async function all(stream: AsyncIterable<StreamedAssistantContent>, onFirst: () => void = () => undefined): Promise<StreamedAssistantContent[]> {
  const items: StreamedAssistantContent[] = []
  for await (const item of stream) {
    items.push(item)
    if (items.length === 1) onFirst()
  }
  return items
}

/** A part without what a wire may add to it. */
function bare(part: AssistantContent): unknown {
  switch (part.type) {
    case 'text': return { type: part.type, text: part.text }
    case 'tool_call': return { type: part.type, id: part.id, name: part.function.name, arguments: part.function.arguments }
    case 'reasoning': return { type: part.type, id: part.id, content: part.content }
    case 'provider_item':
    case 'image': return part
  }
}
