/** What a provider's protocol is to the server: how a question is read and in which bytes an answer travels. */
import type { ApiError } from './api-error.ts'
import type { JsonObject } from './json.ts'
import type { ModelQuestion } from './model-question.ts'
import type { ModelTurn, NoiseKind, TurnEnd } from './model-turn.ts'

export interface TurnIdentity {
  /** 32 hex digits, from which every id of the answer is made. */
  readonly responseKey: string
  /** Unix time in seconds. */
  readonly createdAt: number
}

export interface EncodedTurn {
  /** The stream: one text for each event. */
  readonly frames: readonly string[]
  /** The answer without streaming. */
  readonly body: JsonObject
  /** Lets later requests refer to this answer, where the wire knows such references. */
  readonly remember?: () => void
}

export interface WireRequest {
  readonly question: ModelQuestion
  readonly isStream: boolean
  /** Names what in the request changes the bytes of an answer besides the question; answers prepared for one variant serve that one only. */
  readonly variant: string
  /** @throws ApiError when the conversation is not one that the provider continues; asked after the model's name was accepted */
  check(): void
  encode(turn: ModelTurn, identity: TurnIdentity): EncodedTurn
}

export interface Wire {
  /** Header that names each exchange. */
  readonly requestIdHeader: string
  /** @throws ApiError as the provider refuses it */
  read(body: unknown): WireRequest
  /**
   * @param apiKey undefined when any will do, and none as well
   * @throws ApiError 401 when the key is wrong, 400 when a header is missing that the provider demands
   */
  checkHeaders(headers: Readonly<Record<string, unknown>>, apiKey: string | undefined): void
  unknownModel(name: string): ApiError
  errorBody(error: Pick<ApiError, 'message' | 'status' | 'type' | 'code' | 'param'>, requestId: string): JsonObject
  /** The HTTP status and error with which such an end is answered without streaming; undefined when the body itself tells it. */
  unaryFailure(end: TurnEnd): ApiError | undefined
  /** A frame that says nothing, or nothing that a client could know. */
  noise(kind: NoiseKind): string
}
