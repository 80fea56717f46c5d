import {
  AgentBuilder, MaxTurnsError, Message, PromptError, type Agent, type AgentHook, type AssistantContent, type AssistantMessage, type CompletionModel,
  type CompletionRequest, type PromptResponse, type StreamingPromptRequest, type Usage, type UserMessage,
} from '@buildscale/rig'
import { answerOf, turnOf } from './answer-record.ts'
import type { ExchangeGate } from './exchange-gate.ts'
import type { AnswerReading } from './independent-reading.ts'
import type { Json } from './json.ts'
import { ReplayTools, type RecordedResults } from './known-tools.ts'
import { rawOutputParams } from './output-params.ts'
import type { PlannedRun } from './plan-conversation.ts'

/** What the runtime has after an exchange: the messages that it sent, and what came of them. */
export interface TurnState {
  readonly messages: readonly Message[]
  readonly assistant?: AssistantMessage
  /** The results of its calls, once the tools have run. */
  readonly results?: UserMessage
  readonly responseId?: string
}

/** How a run ended. */
export type RunEnd =
  | { readonly type: 'done'; readonly text: string; readonly usage: Usage }
  /** All recorded calls were made and tools still run: whoever recorded this went no further. */
  | { readonly type: 'turn-limit' }
  | { readonly type: 'failed'; readonly error: unknown }
  /** What was looked up. */
  | { readonly type: 'values'; readonly values: Json }

export interface RunInput {
  readonly run: PlannedRun
  readonly model: CompletionModel
  /** Without the system text. */
  readonly messages: readonly Message[]
  readonly params: PlannedRun['settings']['params']
  readonly gate: ExchangeGate
  readonly results: RecordedResults
  readonly signal: AbortSignal
  /** Called as soon as it is known what came of an exchange. */
  readonly settled: (exchange: number, state: TurnState) => void
  readonly answered: (exchange: number, answer: AnswerReading) => void
}

export interface RunOutcome {
  readonly end: RunEnd
  /** What the consumer of streamed answers saw, by exchange. */
  readonly streamedTexts: ReadonlyMap<number, string>
  readonly isCallerInput: boolean
}

/** Has the runtime do a run. Never throws: how it ended is in the outcome. */
export async function executeRun(input: RunInput): Promise<RunOutcome> {
  try {
    return input.run.mode === 'agent' ? await new AgentReplay(input).run() : await callModel(input)
  } catch (error) {
    return { end: { type: 'failed', error }, streamedTexts: new Map(), isCallerInput: false }
  }
}

/** One call of the model, streamed or not. */
async function callModel({ run, model, messages, params, gate, signal, settled, answered }: RunInput): Promise<RunOutcome> {
  const { settings } = run
  const { preamble, tools, hostedTools, toolChoice, temperature, maxTokens, outputSchema } = settings
  const [exchange = 0] = run.exchanges
  // The runtime asks a chat for a form only when no tool is to be called any more: a caller who did so earlier did it by hand.
  const isTooEarly = settings.client.wire === 'chat' && tools.length > 0 && !messages.some(isResults)
  const request: CompletionRequest = {
    messages: [...(preamble === undefined ? [] : [Message.system(preamble)]), ...messages],
    tools,
    hostedTools,
    additionalParams: isTooEarly ? { ...params, ...rawOutputParams(settings) } : params,
    ...(toolChoice === undefined ? {} : { toolChoice }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(outputSchema === undefined || isTooEarly ? {} : { outputSchema }),
  }
  await gate.enter(exchange)
  const { response, streamedText } = await askModel(model, request, { isStreaming: run.isStreaming, signal })
  answered(exchange, answerOf(turnOf(response)))
  const { choice, messageId, responseId, origin } = response
  const assistant: AssistantMessage = { role: 'assistant', content: choice, origin, ...(messageId === undefined ? {} : { id: messageId }) }
  settled(exchange, { messages, ...(choice.length === 0 ? {} : { assistant }), ...(responseId === undefined ? {} : { responseId }) })
  return {
    end: { type: 'done', text: Message.text(assistant), usage: response.usage },
    streamedTexts: new Map(streamedText === undefined ? [] : [[exchange, streamedText]]),
    isCallerInput: false,
  }
}

/** One answer and, when it is streamed, the text that its deltas make. */
export async function askModel(
  model: CompletionModel,
  request: CompletionRequest,
  { isStreaming, signal }: { readonly isStreaming: boolean; readonly signal: AbortSignal },
) {
  if (!isStreaming) return { response: await model.completion(request, { signal }), streamedText: undefined }
  const stream = model.stream(request, { signal })
  let streamedText = ''
  for await (const item of stream) if (item.type === 'text') streamedText += item.text
  return { response: await stream.response, streamedText }
}

function isResults({ role, content }: Message): boolean {
  return role === 'user' && content.some(({ type }) => type === 'tool_result')
}

/** A run of an agent, which hands out what it knows after every turn and waits for its place in the recording before every call. */
class AgentReplay {
  readonly #input: RunInput
  readonly #tools: ReplayTools
  readonly #responseIds = new Map<number, string>()
  /** The parts of each turn's answer. */
  readonly #contents = new Map<number, readonly AssistantContent[]>()
  readonly #streamedTexts = new Map<number, string>()

  constructor(input: RunInput) {
    this.#input = input
    this.#tools = new ReplayTools(input.run.settings.tools, input.results)
  }

  async run(): Promise<RunOutcome> {
    const end = await this.#end()
    return { end, streamedTexts: this.#streamedTexts, isCallerInput: this.#tools.hasUsedRecording }
  }

  async #end(): Promise<RunEnd> {
    const { run, messages, signal } = this.#input
    const history = messages.slice(0, -1)
    const last = messages.at(-1)
    try {
      const agent = this.#agent()
      const options = { history, signal, maxTurns: run.exchanges.length }
      const response = run.isStreaming ? await this.#watch(agent.stream(last, options)) : await agent.run(last, options)
      this.#settleLast([...history, ...response.messages])
      return { type: 'done', text: response.text, usage: response.usage }
    } catch (error) {
      if (error instanceof PromptError) this.#settleLast(error.chatHistory)
      return error instanceof MaxTurnsError ? { type: 'turn-limit' } : { type: 'failed', error }
    }
  }

  async #watch(stream: StreamingPromptRequest): Promise<PromptResponse> {
    for await (const item of stream) {
      if (item.type !== 'streamAssistantItem' || item.item.type !== 'text') continue
      const exchange = this.#exchangeAt(item.turn)
      this.#streamedTexts.set(exchange, (this.#streamedTexts.get(exchange) ?? '') + item.item.text)
    }
    return stream.response
  }

  #agent(): Agent {
    const { run, model, params } = this.#input
    const { preamble, hostedTools, toolChoice, temperature, maxTokens } = run.settings
    const builder = new AgentBuilder(model)
      .tools(this.#tools.tools)
      .additionalParams({ ...params, ...rawOutputParams(run.settings) })
      .invalidToolCalls({ mode: 'feedback', max: Infinity })
      .hook(this.#hook())
      .hook(this.#tools.hook)
    if (preamble !== undefined) builder.preamble(preamble)
    for (const tool of hostedTools) builder.hostedTool(tool)
    if (toolChoice !== undefined) builder.toolChoice(toolChoice)
    if (temperature !== undefined) builder.temperature(temperature)
    if (maxTokens !== undefined) builder.maxTokens(maxTokens)
    return builder.build()
  }

  #hook(): AgentHook {
    const { gate, answered } = this.#input
    return {
      onCompletionCall: async (_ctx, { turn, history, prompt }) => {
        if (turn > 1) this.#settle(turn - 1, [...history, prompt])
        await gate.enter(this.#exchangeAt(turn))
      },
      onModelTurnFinished: ({ turn }, { content, usage, finishReason, identity }) => {
        if (identity.responseId !== undefined) this.#responseIds.set(turn, identity.responseId)
        this.#contents.set(turn, content)
        answered(this.#exchangeAt(turn), answerOf({ content, usage, finishReason }))
      },
    }
  }

  #exchangeAt(turn: number): number {
    return this.#input.run.exchanges[turn - 1] ?? -1
  }

  #settleLast(messages: readonly Message[]): void {
    this.#settle(this.#input.run.exchanges.length, messages)
  }

  /** The messages after a turn end with its answer, or with the results of its calls; an empty answer is not among them. */
  #settle(turn: number, messages: readonly Message[]): void {
    const content = this.#contents.get(turn) ?? []
    const last = messages.at(-1)
    const results = last?.role === 'user' && content.some(({ type }) => type === 'tool_call') ? last : undefined
    const before = results === undefined ? messages : messages.slice(0, -1)
    const assistant = content.length === 0 ? undefined : before.at(-1)
    const responseId = this.#responseIds.get(turn)
    this.#input.settled(this.#exchangeAt(turn), {
      ...(assistant?.role === 'assistant' ? { messages: before.slice(0, -1), assistant } : { messages }),
      ...(results === undefined ? {} : { results }),
      ...(responseId === undefined ? {} : { responseId }),
    })
  }
}
