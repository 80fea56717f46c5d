import type { ListedEntry, ReadFile, SearchHit } from './tool-result.ts'

/** What was seen and done while an instruction is carried out: the source of summaries and of the final answer. */
export class Notebook {
  readonly reads: ReadFile[] = []
  readonly hits: SearchHit[] = []
  readonly listed: { readonly path: string; readonly entries: readonly ListedEntry[] }[] = []
  /** Sentences of the final answer, in order. */
  readonly said: string[] = []
  /** What was looked for last, if anything: a name with its definition, or words. */
  topic: { readonly type: 'definition' | 'search'; readonly words: string } | undefined

  say(sentence: string): void {
    this.said.push(sentence)
  }

  /** The plan drawn up last, so that "write it to …" means it. */
  plan: string | undefined

  get isEmpty(): boolean {
    return this.reads.length === 0 && this.hits.length === 0 && this.listed.length === 0 && this.topic === undefined
  }
}
