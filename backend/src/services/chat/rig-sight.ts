import type { RigSight } from './rig-media.ts'

/** Models that take images, by how their names begin (behind a maker's name such as `openai/`). Others may too: what is not known is not sent, because most servers refuse the whole request. */
const SEEING =
  /^(gpt-4o|gpt-4\.[1-9]|gpt-4-turbo|gpt-[5-9]|chatgpt-4o|o1(?!-mini)|o3(?!-mini)|o[4-9]|claude-|gemini|gemma-?[3-9]|pixtral|mistral-small-?3\.[1-9]|mistral-medium|llava|bakllava|moondream|minicpm-v|llama-?[4-9]|grok-[4-9])|vision|-vl\b|\dvl\b/

/** Providers that read PDFs, for the models that take images. */
const READS_DOCUMENTS: ReadonlySet<string> = new Set(['openai', 'anthropic', 'openrouter'])

/** What the model of a resolved id can be shown. */
export function rigSight(id: string): RigSight {
  const provider = id.slice(0, id.indexOf(':'))
  const model = id.slice(provider.length + 1)
  // OpenRouter's own choice goes to a model that takes what the request has.
  const image = provider !== 'offline' && (id === 'openrouter:openrouter/auto' || SEEING.test(model.slice(model.lastIndexOf('/') + 1)))
  return { image, document: image && READS_DOCUMENTS.has(provider) }
}
