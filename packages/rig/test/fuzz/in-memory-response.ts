import type { HttpResponse, OnChunk } from '../../src/http/transport.ts'

/** An answer that has come, in these pieces. */
export function inMemoryResponse(pieces: readonly Uint8Array[]): HttpResponse {
  return {
    status: 200,
    isComplete: true,
    header: () => undefined,
    headers: () => new Headers(),
    discard: () => undefined,
    read: async (onChunk: OnChunk) => {
      for (const piece of pieces) await onChunk(piece)
    },
  }
}
