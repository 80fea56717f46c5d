import type { BuildScaleClient } from '@buildscale/sdk'
import { useEffect, useState } from 'react'

type Models = Awaited<ReturnType<BuildScaleClient['models']>>

/** Says which model answers, and plainly when it is none. */
export function ModelNote({ client }: { readonly client: BuildScaleClient }) {
  const [models, setModels] = useState<Models | undefined>(undefined)
  useEffect(() => {
    // Without an answer the note stays away; the chat itself shows that the server is gone.
    client.models().then(setModels, () => undefined)
  }, [client])
  if (models === undefined) return null
  const model = models.items.find((item) => item.default)
  return (
    <p className="model">
      Model: <code>{model?.id ?? 'none'}</code>
      {models.offline && <strong> Offline model: it follows simple instructions by rules, it does not think. Set OPENAI_API_KEY and restart for a real one.</strong>}
      {models.problems.map(({ provider, message }) => (
        <span key={provider} className="problem"> {provider}: {message}</span>
      ))}
    </p>
  )
}
