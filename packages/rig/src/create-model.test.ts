import { describe, expect, it } from 'vitest'
import { createModel } from './create-model.ts'
import { ConfigError } from './errors.ts'
import { ScriptedModel } from './testing/scripted-model.ts'

const env = { OPENAI_API_KEY: 'a', ANTHROPIC_API_KEY: 'b', GROQ_API_KEY: 'c' }

describe('a model by name', () => {
  it.each([
    ['openai:gpt-5.2', { provider: 'openai', api: 'responses', model: 'gpt-5.2' }],
    ['openai-chat:gpt-4o', { provider: 'openai', api: 'chat', model: 'gpt-4o' }],
    ['anthropic:claude-sonnet-4-6', { provider: 'anthropic', api: 'messages', model: 'claude-sonnet-4-6' }],
    ['groq:openai/gpt-oss-120b', { provider: 'groq', api: 'chat', model: 'openai/gpt-oss-120b' }],
    ['ollama:qwen3:8b', { provider: 'ollama', model: 'qwen3:8b' }],
  ])('%s comes from the environment', (name, expected) => {
    expect(createModel(name, { env })).toMatchObject(expected)
  })

  it('may come from a client of one\'s own, under any name', () => {
    const model = new ScriptedModel([])
    expect(createModel('mine:x', { clients: { mine: { completionModel: () => model } }, env })).toBe(model)
  })

  it.each([
    ['gpt-5.2', 'write provider:model'],
    ['openai:', 'write provider:model'],
    ['nobody:x', 'Unknown provider "nobody"; known: openai, openai-chat, anthropic'],
    ['constructor:x', 'Unknown provider'],
    ['mistral:x', 'Set MISTRAL_API_KEY'],
  ])('%s is refused with what to do', (name, message) => {
    expect(() => createModel(name, { env })).toThrow(ConfigError)
    expect(() => createModel(name, { env })).toThrow(message)
  })
})
