/** One Ctrl-C arrives twice when the launcher passes it on besides the terminal; a second press comes later than that. */
const SAME_PRESS_MS = 300

/**
 * Calls `onFirst` on the first Ctrl-C and `onSecond` on the next press, until the returned function ends it.
 */
export function onInterrupt({ onFirst, onSecond }: { readonly onFirst: () => void; readonly onSecond: () => void }): () => void {
  let firstAt: number | undefined
  const listen = (): void => {
    if (firstAt === undefined) {
      firstAt = performance.now()
      onFirst()
    } else if (performance.now() - firstAt > SAME_PRESS_MS) onSecond()
  }
  process.on('SIGINT', listen)
  return () => void process.off('SIGINT', listen)
}
