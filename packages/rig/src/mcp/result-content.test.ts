import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../completion/json.ts'
import { errorText, outputOf } from './result-content.ts'

const shown = (content: readonly Json[], rest: JsonObject = {}) => outputOf({ content, ...rest }).content
const text = (value: string) => ({ type: 'text', text: value })

describe('what the model sees of a result', () => {
  it('is text as text and images as images', () => {
    expect(shown([text('Here:'), { type: 'image', data: 'AAAA', mimeType: 'image/png' }])).toEqual([
      text('Here:'), { type: 'image', source: { kind: 'base64', data: 'AAAA' }, mediaType: 'image/png' },
    ])
  })

  it('names audio with its type and size, without its bytes', () => {
    expect(shown([{ type: 'audio', data: 'AAAA', mimeType: 'audio/wav' }])).toEqual([text('[audio (audio/wav, 3 bytes), not shown]')])
  })

  it('labels resources: text in full, images as images, other bytes by type and size', () => {
    const resources = [
      { uri: 'file:///a.txt', mimeType: 'text/plain', text: 'one\ntwo' },
      { uri: 'file:///a.png', mimeType: 'image/png', blob: 'AAAA' },
      { uri: 'file:///a.zip', mimeType: 'application/zip', blob: 'AAAAAAAA' },
    ]
    expect(shown(resources.map((resource) => ({ type: 'resource', resource })))).toEqual([
      text('[resource file:///a.txt (text/plain)]\none\ntwo'),
      text('[resource file:///a.png (image/png)]'), { type: 'image', source: { kind: 'base64', data: 'AAAA' }, mediaType: 'image/png' },
      text('[resource file:///a.zip (application/zip, 6 bytes), not shown]'),
    ])
  })

  it('shows where a linked resource is and what it is', () => {
    const link = { type: 'resource_link', uri: 'file:///log', name: 'log', mimeType: 'text/plain', description: 'Of today.' }
    expect(shown([link])).toEqual([text('[link to resource file:///log (log, text/plain)]\nOf today.')])
  })

  it('puts structured content in the place of the text that repeats it, however that is spaced', () => {
    const structuredContent = { a: 1, b: [true] }
    expect(shown([text('Found:'), text('{ "b": [true],\n "a": 1 }')], { structuredContent })).toEqual([text('Found:'), { type: 'json', value: structuredContent }])
  })

  it('adds structured content to text that says something else', () => {
    expect(shown([text('One hit.')], { structuredContent: { hits: 1 } })).toEqual([text('One hit.'), { type: 'json', value: { hits: 1 } }])
  })

  it('is never empty', () => {
    expect(shown([])).toEqual([text('(no output)')])
    expect(outputOf({}).content).toEqual([text('(no output)')])
    expect(shown([text('')])).toEqual([text('(no output)')])
  })

  it('names what it does not understand and goes on', () => {
    expect(shown([{ type: 'hologram', data: 'x' }, 7, text('after')])).toEqual([text('[content of type "hologram", not shown]'), text('after')])
    expect(shown([{ type: 'resource' }])).toEqual([text('[resource (no uri), not shown]')])
  })
})

it('the words of a failure are its texts, one per line', () => {
  expect(errorText({ content: [text('No space.'), { type: 'image', data: 'AAAA' }, text('Delete something.')], isError: true })).toBe('No space.\nDelete something.')
  expect(errorText({ isError: true })).toBe('')
})
