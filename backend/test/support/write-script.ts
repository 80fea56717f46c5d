/** A turn that writes: `writes` files over several steps, every third step with two calls, then a closing sentence. For model-sim. */
export interface WriteTurn {
  readonly script: object
  /** Path -> exact content that must exist afterwards. */
  readonly files: ReadonlyMap<string, string>
  readonly steps: number
}

/** The turns answer by the step of the conversation, not by how often they were asked, so that a model call that is repeated after a crash gets the same answer. */
export function writeTurn({ folder, writes, stepDelayMs, eventDelayMs }: { readonly folder: string; readonly writes: number; readonly stepDelayMs: number; readonly eventDelayMs?: number }): WriteTurn {
  const files = new Map<string, string>()
  const turns: object[] = []
  for (let index = 0; index < writes; ) {
    const inStep = turns.length % 3 === 2 && index + 1 < writes ? 2 : 1
    const calls = Array.from({ length: inStep }, (_, position) => {
      const path = `${folder}/file-${String(index + position).padStart(2, '0')}.txt`
      const content = `file ${index + position} of ${folder}\nline two ü €\n`
      files.set(path, content)
      return { name: 'write', arguments: { path, content } }
    })
    index += inStep
    turns.push({ when: { step: turns.length, last_user: folder }, times: 'always', reasoning: `Step ${turns.length + 1} of ${folder}.`, text: `Now step ${turns.length + 1}. `, calls, delay_ms: stepDelayMs, ...(eventDelayMs !== undefined && { event_delay_ms: eventDelayMs }) })
  }
  turns.push({ when: { step: turns.length, last_user: folder }, times: 'always', text: `Wrote ${writes} files under ${folder}.`, delay_ms: stepDelayMs, ...(eventDelayMs !== undefined && { event_delay_ms: eventDelayMs }) })
  return { script: { turns }, files, steps: turns.length }
}
