/** The results of `work` in the order of the items, with up to `limit` of them under way. */
export async function* mapAhead<Item, Result>(items: AsyncIterable<Item>, limit: number, work: (item: Item) => Promise<Result>): AsyncGenerator<Result, void, undefined> {
  const running: Promise<Result>[] = []
  for await (const item of items) {
    const result = work(item)
    result.catch(() => undefined) // it is looked at in its turn, which may come later than its failure
    running.push(result)
    const first = running.length < limit ? undefined : running.shift()
    if (first !== undefined) yield await first
  }
  for (const result of running) yield await result
}
