import { describe, expect, it } from 'vitest'
import { type RigModelSettings, RigModels } from './rig-models.ts'

const NONE = { openai: undefined, anthropic: undefined, openrouter: undefined, ollama: undefined }
const key = { apiKey: 'k', baseUrl: undefined }
const modelsOf = (providers: Partial<RigModelSettings['providers']>, defaultModel?: string) => new RigModels({ defaultModel, providers: { ...NONE, ...providers }, offlineUrl: 'http://127.0.0.1:1/v1' })

describe('the default model', () => {
  it.each([
    ['the offline one without any provider', {}, 'offline:rules'],
    ['that of OpenAI before all others', { anthropic: key, openai: key }, 'openai:gpt-4o'],
    ['that of the first provider that has one', { ollama: { apiKey: undefined, baseUrl: 'http://127.0.0.1:2' }, anthropic: key }, 'anthropic:claude-sonnet-4-6'],
    ['that of OpenRouter', { openrouter: key }, 'openrouter:openrouter/auto'],
    ['the offline one when a provider knows no model by itself', { ollama: { apiKey: undefined, baseUrl: 'http://127.0.0.1:2' } }, 'offline:rules'],
  ])('is %s', (_title, providers, expected) => {
    expect(modelsOf(providers).defaultModel).toBe(expected)
  })

  it('may be named, with its provider or without', () => {
    expect(modelsOf({ anthropic: key }, 'claude-opus-4-8').defaultModel).toBe('anthropic:claude-opus-4-8')
    expect(modelsOf({ ollama: { apiKey: undefined, baseUrl: 'http://127.0.0.1:2' } }, 'ollama:qwen3:8b').defaultModel).toBe('ollama:qwen3:8b')
  })
})

describe('a model', () => {
  it('speaks the wire of its provider', () => {
    const models = modelsOf({ openai: key, anthropic: key, openrouter: key, ollama: { apiKey: undefined, baseUrl: 'http://127.0.0.1:2' } })
    const wires = ['openai:gpt-5', 'anthropic:claude-haiku-4-5', 'openrouter:z/y', 'ollama:qwen3:8b', 'offline:rules'].map((id) => {
      const { provider, api, model } = models.completionModel(id)
      return [provider, api, model]
    })
    expect(wires).toEqual([['openai', 'responses', 'gpt-5'], ['anthropic', 'messages', 'claude-haiku-4-5'], ['openrouter', 'chat', 'z/y'], ['ollama', 'chat', 'qwen3:8b'], ['openai', 'responses', 'offline']])
  })

  it('is asked to think only where it can', () => {
    const models = modelsOf({ openai: key, anthropic: key })
    expect(models.additionalParams('openai:gpt-5')).toEqual({ reasoning: { summary: 'auto' }, store: false })
    expect(models.additionalParams('openai:gpt-4o')).toEqual({})
    expect(models.additionalParams('anthropic:claude-sonnet-4-6')).toEqual({ thinking: { type: 'adaptive' } })
    expect(models.additionalParams('anthropic:claude-haiku-4-5')).toEqual({})
    expect(modelsOf({ openai: { apiKey: undefined, baseUrl: 'http://127.0.0.1:2/v1' } }).additionalParams('openai:gpt-5')).toEqual({})
  })

  it.each([
    ['anthropic:claude-sonnet-4-6', 'set ANTHROPIC_API_KEY and restart. Available providers: openai, offline.'],
    ['nobody:x', 'there is no provider "nobody".'],
    ['openai:', 'has no name after the provider'],
    ['offline:other', 'There is one offline model'],
  ])('%s is refused with what to do', (name, message) => {
    expect(() => modelsOf({ openai: key }).resolve(name)).toThrow(message)
  })

  it('that only the owner of a server knows has to be named, which is said', () => {
    const ollama = { apiKey: undefined, baseUrl: 'http://127.0.0.1:2' }
    expect(modelsOf({ ollama }).list()).toMatchObject({ offline: true, problems: [{ provider: 'ollama', message: expect.stringContaining('ollama:<model>') }] })
    expect(modelsOf({ ollama }, 'ollama:x').list()).toMatchObject({ offline: false, problems: [], items: [{ id: 'offline:rules' }, { id: 'ollama:x', default: true }] })
  })

  it('has the room of its family', () => {
    const models = modelsOf({ openai: key })
    expect(['openai:gpt-5', 'anthropic:claude-opus-4-8', 'openrouter:anthropic/claude-opus-4-8', 'ollama:x'].map((id) => models.contextWindow(id))).toEqual([400_000, 200_000, 200_000, 128_000])
  })
})
