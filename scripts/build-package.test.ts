import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { afterPack, beforePack, packedManifest } from './build-package.ts'

const MANIFEST = {
  name: 'example',
  version: '1.2.3',
  type: 'module',
  exports: { '.': './src/index.ts', './testing': './src/testing/index.ts' },
  scripts: { prepack: 'build' },
  peerDependencies: { peer: '^1.0.0' },
  devDependencies: { tool: '1.0.0' },
}

describe('the manifest that users get', () => {
  it('points at what was built, declarations first', () => {
    const { exports } = packedManifest(MANIFEST)
    expect(JSON.stringify(exports)).toBe(JSON.stringify({
      '.': { types: './dist/index.d.ts', default: './dist/index.js' },
      './testing': { types: './dist/testing/index.d.ts', default: './dist/testing/index.js' },
      './package.json': './package.json',
    }))
  })

  it('keeps what concerns users, and only that', () => {
    const { exports: _exports, scripts: _scripts, devDependencies: _devDependencies, ...kept } = MANIFEST
    expect(packedManifest(MANIFEST)).toEqual({ ...kept, exports: expect.any(Object) })
  })

  it.each([['./dist/index.js'], ['./src/index.tsx'], [{ default: './src/index.ts' }], [null]])('is refused for the entry point %j', (target) => {
    expect(() => packedManifest({ exports: { '.': target } })).toThrow('exports["."]: expected a file "./src/….ts"')
  })

  it('is refused without entry points', () => {
    expect(() => packedManifest({ name: 'example' })).toThrow('exports: expected the entry points')
  })
})

describe('packing', () => {
  const SOURCE = `${JSON.stringify(MANIFEST, null, 4)}\r\n`
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'build-package-'))
    mkdirSync(join(folder, 'src', 'testing'), { recursive: true })
    put('package.json', SOURCE)
    put('tsconfig.build.json', JSON.stringify({ compilerOptions: { rootDir: 'src', outDir: 'dist', declaration: true, module: 'NodeNext', emitDeclarationOnly: true, allowImportingTsExtensions: true, types: [] }, include: ['src'] }))
    put('src/shared.ts', 'export const base: number = 21\n')
    put('src/index.ts', "import { base } from './shared.ts'\nexport const answer: number = base * 2\n")
    put('src/testing/index.ts', "import peer from 'peer'\nimport { base } from '../shared.ts'\nexport const half: number = peer(base)\n")
    put('src/peer.d.ts', "declare module 'peer' {\n  const id: (value: number) => number\n  export default id\n}\n")
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const put = (path: string, text: string): void => writeFileSync(join(folder, path), text)
  const read = (path: string): string => readFileSync(join(folder, path), 'utf8')

  it('builds JavaScript that imports what is installed beside it, with declarations, and gives the manifest back byte by byte', async () => {
    await beforePack(folder)
    expect(JSON.parse(read('package.json'))).toEqual(packedManifest(MANIFEST))
    expect(read('dist/index.d.ts')).toContain('answer: number')
    expect(read('dist/testing/index.js')).toContain("from \"peer\"")
    const { answer }: { answer: number } = await import(pathToFileURL(join(folder, 'dist/index.js')).href)
    expect(answer).toBe(42)
    afterPack(folder)
    expect(read('package.json')).toBe(SOURCE)
    expect(existsSync(join(folder, 'dist'))).toBe(false)
  })

  it('packs nothing that an earlier build left', async () => {
    mkdirSync(join(folder, 'dist'))
    put('dist/removed.js', '')
    await beforePack(folder)
    expect(existsSync(join(folder, 'dist/removed.js'))).toBe(false)
  })

  it('finds the right manifest after it was killed half way', async () => {
    await beforePack(folder)
    await beforePack(folder)
    expect(JSON.parse(read('package.json'))).toEqual(packedManifest(MANIFEST))
    afterPack(folder)
    expect(read('package.json')).toBe(SOURCE)
  })

  it('leaves the manifest alone when the sources do not compile', async () => {
    put('src/index.ts', 'export const answer: number = "42"\n')
    await expect(beforePack(folder)).rejects.toThrow('could not be built')
    expect(read('package.json')).toBe(SOURCE)
  })
})
