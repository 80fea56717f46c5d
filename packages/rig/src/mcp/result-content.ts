import { isDeepStrictEqual } from 'node:util'
import { arrayAt, isJsonObject, objectAt, stringAt, tryParseJson, type Json, type JsonObject } from '../completion/json.ts'
import type { ImagePart, TextPart, ToolResultContent } from '../completion/message-types.ts'
import { ToolOutput } from '../tool/tool-output.ts'

const NO_OUTPUT = '(no output)'

/**
 * What the model sees of a result (`CallToolResult`, https://modelcontextprotocol.io/specification/2025-06-18/server/tools#tool-result).
 * Images are images; what a model cannot be shown is named with its type and size. `structuredContent` takes the place of the text that
 * repeats it.
 */
export function outputOf(result: JsonObject): ToolOutput {
  const content = withStructured(arrayAt(result, 'content').flatMap(blocksOf), objectAt(result, 'structuredContent'))
  return content.length === 0 ? ToolOutput.text(NO_OUTPUT) : ToolOutput.of(...content)
}

/** The words of a failed result; empty when it has none. */
export function errorText(result: JsonObject): string {
  return arrayAt(result, 'content').flatMap(blocksOf).flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('\n')
}

function withStructured(blocks: readonly ToolResultContent[], structured: JsonObject | undefined): readonly ToolResultContent[] {
  if (structured === undefined) return blocks
  const repeats = (block: ToolResultContent) => block.type === 'text' && isDeepStrictEqual(tryParseJson(block.text), structured)
  const json: ToolResultContent = { type: 'json', value: structured }
  const place = blocks.findIndex(repeats)
  if (place < 0) return [...blocks, json]
  return [...blocks.slice(0, place), json, ...blocks.slice(place + 1).filter((block) => !repeats(block))]
}

/** Servers are newer or looser than any schema of theirs: what is not understood is named, never a failure. */
function blocksOf(block: Json): readonly ToolResultContent[] {
  if (!isJsonObject(block)) return []
  const type = stringAt(block, 'type') ?? 'unknown'
  switch (type) {
    case 'text': return textBlock(stringAt(block, 'text') ?? '')
    case 'image': return [image(stringAt(block, 'data') ?? '', stringAt(block, 'mimeType'))]
    case 'audio': return textBlock(`[audio${details(stringAt(block, 'mimeType'), sizeOf(stringAt(block, 'data')))}, not shown]`)
    case 'resource': return resourceBlocks(objectAt(block, 'resource') ?? {})
    case 'resource_link': return textBlock(linkText(block))
    default: return textBlock(`[content of type "${type}", not shown]`)
  }
}

function resourceBlocks(resource: JsonObject): readonly ToolResultContent[] {
  const [uri, mimeType, text, blob] = ['uri', 'mimeType', 'text', 'blob'].map((key) => stringAt(resource, key))
  const name = `resource ${uri ?? '(no uri)'}`
  if (text !== undefined) return textBlock(`[${name}${details(mimeType)}]\n${text}`)
  if (blob !== undefined && mimeType?.startsWith('image/') === true) return [...textBlock(`[${name}${details(mimeType)}]`), image(blob, mimeType)]
  return textBlock(`[${name}${details(mimeType, sizeOf(blob))}, not shown]`)
}

function linkText(link: JsonObject): string {
  const [name, title, uri, mimeType, description] = ['name', 'title', 'uri', 'mimeType', 'description'].map((key) => stringAt(link, key))
  return `[link to resource ${uri ?? '(no uri)'}${details(title ?? name, mimeType)}]${description === undefined ? '' : `\n${description}`}`
}

function details(...values: readonly (string | undefined)[]): string {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? '' : ` (${known.join(', ')})`
}

function sizeOf(base64: string | undefined): string | undefined {
  return base64 === undefined ? undefined : `${Buffer.byteLength(base64, 'base64')} bytes`
}

function image(data: string, mediaType: string | undefined): ImagePart {
  return { type: 'image', source: { kind: 'base64', data }, ...(mediaType === undefined ? {} : { mediaType }) }
}

function textBlock(text: string): readonly TextPart[] {
  return text === '' ? [] : [{ type: 'text', text }]
}
