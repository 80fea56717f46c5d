/** The JavaScript of a published package, from its sources. */
import { join, relative } from 'node:path'
import { rolldown } from 'rolldown'

export interface Bundle {
  /** The package, whose sources are below `src`. */
  readonly folder: string
  /** Its entry points, such as `src/index.ts`. */
  readonly entries: readonly string[]
  /** Where the JavaScript goes: `src/mcp/index.ts` becomes `mcp/index.js` there. */
  readonly target: string
}

/**
 * One file per entry point, and what several share in files of their own: loading the hundred files of the sources one by one costs every
 * program that imports the package twice the time. What is installed beside it is imported, not taken in. Throws for sources with an error.
 */
export async function bundlePackage({ folder, entries, target }: Bundle): Promise<void> {
  const input = Object.fromEntries(entries.map((entry) => [relative('src', entry).replace(/\.ts$/, ''), join(folder, entry)]))
  const bundle = await rolldown({ input, platform: 'node', external: (id) => !id.startsWith('.') && !id.startsWith('/'), logLevel: 'silent' })
  try {
    await bundle.write({ dir: target, format: 'esm', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name].js', sourcemap: false })
  } finally {
    await bundle.close()
  }
}
