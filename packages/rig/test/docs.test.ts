import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const PACKAGE = join(import.meta.dirname, '..')
const REPOSITORY = join(PACKAGE, '..', '..')
const PAGES = ['README.md', 'MIGRATING.md', ...readdirSync(join(PACKAGE, 'docs')).map((name) => `docs/${name}`)]

function snippetsOf(page: string): readonly string[] {
  return [...readFileSync(join(PACKAGE, page), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] ?? '')
}

it('every snippet of the documentation type-checks', () => {
  const folder = mkdtempSync(join(PACKAGE, 'test', 'docs-'))
  try {
    for (const [page, name] of PAGES.entries()) {
      for (const [index, snippet] of snippetsOf(name).entries()) writeFileSync(join(folder, `${page}-${index}-${name.replaceAll(/\W/g, '_')}.ts`), `${snippet}\nexport {}\n`)
    }
    // Snippets name things for the reader's sake that they do not use.
    const options = { noUnusedLocals: false, noUnusedParameters: false, noEmit: true }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: '../../../../tsconfig.base.json', compilerOptions: options, include: ['*.ts'] }))
    const { stdout, status } = spawnSync(process.execPath, [join(REPOSITORY, 'node_modules/typescript-native/bin/tsc'), '-p', folder], { encoding: 'utf8' })
    expect({ stdout, status }).toEqual({ stdout: '', status: 0 })
    expect(readdirSync(folder).length).toBeGreaterThan(10)
  } finally {
    rmSync(folder, { recursive: true })
  }
}, 120_000)

it('every link between the pages leads somewhere', () => {
  for (const page of PAGES) {
    for (const [, target = ''] of readFileSync(join(PACKAGE, page), 'utf8').matchAll(/\]\(([^)#]+)\)/g)) {
      if (!target.includes('://')) expect(existsSync(join(PACKAGE, page, '..', target)), `${page}: ${target}`).toBe(true)
    }
  }
})
