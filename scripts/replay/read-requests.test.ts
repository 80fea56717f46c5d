import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from './json.ts'
import { makeModel } from './make-model.ts'
import type { WireName } from './recorded-request.ts'
import { replayFile } from './replay-file.ts'
import { exchangeOf, RecordingFolder, recordingOf, WIRE, type TestWire } from './testing/recordings.ts'

const PNG = 'data:image/png;base64,iVBORw0KGgo='
const PDF = 'data:application/pdf;base64,JVBERi0x'
const schema = { type: 'object', properties: { q: { type: 'string' } }, required: ['q'] }

/** First requests as callers send them: each has to be sent again exactly like this. */
const REQUESTS: Readonly<Record<WireName, Readonly<Record<string, JsonObject>>>> = {
  responses: {
    'images and files': {
      input: [
        { type: 'message', role: 'user', content: [{ type: 'input_image', image_url: PNG, detail: 'low' }] },
        { type: 'message', role: 'user', content: [{ type: 'input_image', image_url: 'https://example.test/a.png', detail: 'auto' }] },
        { type: 'message', role: 'user', content: [{ type: 'input_file', file_data: PDF, filename: 'document.pdf' }] },
        { type: 'message', role: 'user', content: [{ type: 'input_file', file_url: 'https://example.test/a.pdf' }] },
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'What is this?' }] },
      ],
    },
    'a history with reasoning, calls and results of several blocks': {
      input: [
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Look.' }] },
        { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'Hm.' }], encrypted_content: 'sealed' },
        { type: 'function_call', call_id: 'call_1', name: 'look', arguments: '{"q": "a"}', status: 'completed', id: 'fc_1' },
        { type: 'function_call', call_id: 'call_2', name: 'look', arguments: '{}', status: 'completed' },
        { type: 'function_call_output', call_id: 'call_1', output: [{ type: 'input_text', text: 'one' }, { type: 'input_image', image_url: PNG, detail: 'auto' }], status: 'completed' },
        { type: 'function_call_output', call_id: 'call_2', output: 'two', status: 'completed' },
        { type: 'message', role: 'assistant', id: 'msg_1', status: 'completed', content: [{ type: 'output_text', text: 'Seen.' }] },
        { type: 'message', role: 'system', content: [{ type: 'input_text', text: 'Be brief.' }] },
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'And?' }] },
      ],
    },
    'the system text as an item, and a model that must call one tool': {
      input: [
        { type: 'message', role: 'system', content: [{ type: 'input_text', text: 'Be brief.' }] },
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Look.' }] },
      ],
      tools: [{ type: 'function', name: 'look', description: 'Looks.', parameters: schema, strict: false }, { type: 'web_search' }],
      tool_choice: { type: 'function', name: 'look' },
    },
    'parameters of all kinds': {
      input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Look.' }] }],
      instructions: 'Be brief.', temperature: 0, max_output_tokens: 9, top_p: 0.5, store: false, metadata: { a: 'b' }, parallel_tool_calls: false, service_tier: 'flex',
      reasoning: { effort: 'low', summary: 'auto' }, include: ['web_search_call.action.sources', 'reasoning.encrypted_content'], text: { verbosity: 'low' }, prompt_cache_key: 'k', truncation: 'auto',
    },
  },
  chat: {
    'values that only its server knows': {
      messages: [{ role: 'user', content: 'Look.' }], temperature: 'warm', tool_choice: 'any', response_format: { type: 'json_object' },
      tools: [{ type: 'function', function: { name: 'look', description: 'Looks.', parameters: schema } }],
    },
    'a tool choice that is none': {
      messages: [{ role: 'user', content: 'Look.' }], tool_choice: null,
      tools: [{ type: 'function', function: { name: 'look', description: 'Looks.', parameters: schema } }],
    },
    'calls without a text, whose place is kept': {
      messages: [
        { role: 'user', content: 'Look.' },
        { role: 'assistant', content: '', tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'look', arguments: '{}' } }] },
        { role: 'tool', tool_call_id: 'call_1', content: 'This.' },
      ],
    },
    'a result with an image': {
      messages: [
        { role: 'user', content: 'Look.' },
        { role: 'assistant', tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'look', arguments: '{}' } }] },
        { role: 'tool', tool_call_id: 'call_1', content: [{ type: 'text', text: 'This:' }, { type: 'image_url', image_url: { url: PNG, detail: 'auto' } }] },
      ],
    },
    'images, audio and files': {
      messages: [{
        role: 'user',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image_url', image_url: { url: PNG, detail: 'high' } },
          { type: 'image_url', image_url: { url: 'https://example.test/a.png', detail: 'auto' } },
          { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } },
          { type: 'file', file: { file_data: PDF, filename: 'document.pdf' } },
          { type: 'file', file: { file_id: 'file-1' } },
        ],
      }],
    },
    'a history with reasoning, calls and results': {
      messages: [
        { role: 'system', content: [{ type: 'text', text: 'Be brief.' }] },
        { role: 'user', content: 'Look.' },
        { role: 'assistant', reasoning_content: 'Hm.', content: [{ type: 'text', text: 'I will.' }], tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"q": "a"}' } }] },
        { role: 'tool', tool_call_id: 'call_1', content: 'one' },
        { role: 'assistant', content: [{ type: 'text', text: 'Seen.' }] },
        { role: 'user', content: 'And?' },
      ],
    },
    'what a server wants that knows strings only': {
      messages: [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'Look.' }, { role: 'assistant', content: 'Seen.' }, { role: 'user', content: 'And?' }],
      max_completion_tokens: 9, temperature: 0.5, top_p: 0.5, n: 1, user: 'u', parallel_tool_calls: false, seed: 1,
    },
    'a newer role of the system text and a limit by its newer name': { model: 'gpt-5.1', messages: [{ role: 'developer', content: [{ type: 'text', text: 'Be brief.' }] }, { role: 'user', content: 'Look.' }], max_completion_tokens: 9 },
    'a form of the answer together with tools': {
      messages: [{ role: 'user', content: 'Look.' }],
      tools: [{ type: 'function', function: { name: 'look', description: 'Looks.', parameters: schema } }],
      tool_choice: { type: 'function', function: { name: 'look' } },
      response_format: { type: 'json_schema', json_schema: { name: 'Found', schema: { ...schema, additionalProperties: false }, strict: true } },
    },
    'reasoning in details': {
      messages: [
        { role: 'user', content: 'Look.' },
        { role: 'assistant', content: [{ type: 'text', text: 'Seen.' }], reasoning_details: [{ type: 'reasoning.text', text: 'Hm.', signature: 's', index: 0 }, { type: 'reasoning.encrypted', data: 'sealed', index: 1 }] },
        { role: 'user', content: 'And?' },
      ],
    },
  },
  messages: {
    'images and documents': {
      messages: [{
        role: 'user',
        content: [
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } },
          { type: 'image', source: { type: 'url', url: 'https://example.test/a.png' } },
          { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0x' }, title: 'A' },
          { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'plain' } },
          { type: 'document', source: { type: 'file', file_id: 'file_1' } },
          { type: 'text', text: 'What is this?' },
        ],
      }],
    },
    'a history with thinking, calls, results and what the provider searched': {
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'Look.' }] },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: '', signature: 'sig' },
            { type: 'redacted_thinking', data: 'sealed' },
            { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'a' } },
            { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] },
            { type: 'text', text: 'I will.', citations: [{ type: 'web_search_result_location', url: 'https://example.test' }] },
            { type: 'tool_use', id: 'toolu_1', name: 'look', input: { q: 'a' } },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: 'one' }, { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } }] },
            { type: 'text', text: 'And?' },
          ],
        },
      ],
    },
    'marks of what is to be kept': {
      system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral', ttl: '1h' } }],
      tools: [{ name: 'look', description: 'Looks.', input_schema: schema, cache_control: { type: 'ephemeral', ttl: '1h' } }],
      tool_choice: { type: 'auto' },
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Look.', cache_control: { type: 'ephemeral', ttl: '5m' } }] }],
    },
    'parameters of all kinds': {
      max_tokens: 9, temperature: 0, top_k: 3, stop_sequences: ['x'], metadata: { user_id: 'u' }, thinking: { type: 'enabled', budget_tokens: 1024 }, service_tier: 'auto',
      tools: [{ name: 'look', description: 'Looks.', input_schema: schema }, { type: 'web_search_20250305', name: 'web_search', max_uses: 1 }],
      tool_choice: { type: 'any', disable_parallel_tool_use: true },
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Look.' }] }],
    },
    'a mark of the system text alone': {
      system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral', ttl: '1h' } }],
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Look.' }] }],
    },
    'marks of several tools, which callers set': {
      cache_control: { type: 'ephemeral' },
      system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral', ttl: '1h' } }],
      tools: [
        { name: 'look', description: 'Looks.', input_schema: schema },
        ...['one', 'two'].map((name) => ({ name, description: 'Marked.', input_schema: schema, cache_control: { type: 'ephemeral', ttl: '1h' } })),
      ],
      tool_choice: { type: 'none' },
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Look.' }] }],
    },
    'tools without a choice': {
      tools: [{ name: 'look', description: 'Looks.', input_schema: schema }],
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Look.' }] }],
    },
    'neighbours of one role': { messages: [{ role: 'user', content: [{ type: 'text', text: 'A' }] }, { role: 'user', content: [{ type: 'text', text: 'B' }] }] },
  },
}

const CASES = Object.values(WIRE).flatMap((wire) => Object.entries(REQUESTS[wire.name]).map(([title, request]) => ({ wire, title, request })))

describe('a first request is read so that the runtime sends it again exactly:', () => {
  it.each(CASES)('$wire.name, $title', async ({ wire, request }) => {
    using folder = new RecordingFolder()
    const model: Record<string, Json> = { ...wire.request({ conversation: [] }), ...request }
    for (const isStreaming of [false, true]) {
      const exchange = exchangeOf(wire, { ...model, ...(isStreaming ? streamedFields(wire) : {}) }, { said: { text: 'Yes.' }, number: 9 })
      const path = folder.write('recording.yaml', recordingOf([exchange]))
      expect(await replayFile(path, 'recording.yaml', { makeModel, decodeOnly: false, timeoutMs: 5000 })).toMatchObject({ ok: true, mismatches: [], isCallerInput: false })
    }
  })
})

/** What a client adds by itself when it streams. */
function streamedFields({ name }: TestWire): JsonObject {
  switch (name) {
    case 'responses':
    case 'messages': return { stream: true }
    case 'chat': return { stream: true, stream_options: { include_usage: true } }
  }
}
