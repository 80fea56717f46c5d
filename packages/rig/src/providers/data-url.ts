import { CompletionError } from '../errors.ts'

/** Throws `CompletionError` of kind `request` without a media type: nobody could tell what the bytes are. */
export function dataUrl(mediaType: string | undefined, data: string): string {
  if (mediaType === undefined) throw new CompletionError('request', 'Base64 data needs its media type')
  return `data:${mediaType};base64,${data}`
}
