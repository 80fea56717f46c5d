import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findViolations } from './check-imports.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'check-imports-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function plant(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries({ 'packages/rig/src/index.ts': 'export const rig = 1\n', ...files })) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
}

describe('check-imports', () => {
  it('lets the Rig-prefixed files of the chat import the runtime', () => {
    plant({ 'backend/src/services/chat/rig-service.ts': "import { rig } from '@buildscale/rig'\nexport const RigService = rig\n" })
    expect(findViolations(root)).toEqual([])
  })

  it('refuses the runtime to every other file of the backend, type imports included', () => {
    plant({
      'backend/src/services/chat/chat-service.ts': "import { rig } from '@buildscale/rig'\nexport const chat = rig\n",
      'backend/src/routes/bad.ts': "import type { rig } from '@buildscale/rig'\nexport type Bad = typeof rig\n",
    })
    expect(findViolations(root)).toEqual([
      'backend/src/services/chat/chat-service.ts: backend/services/chat may not import rig (packages/rig/src/index.ts)',
      'backend/src/routes/bad.ts: backend/routes may not import rig (packages/rig/src/index.ts)',
    ])
  })

  it('keeps chat files without the prefix away from those with it', () => {
    plant({
      'backend/src/services/chat/rig-tool.ts': 'export const rigTool = 1\n',
      'backend/src/services/chat/chat-turn.ts': "import { rigTool } from './rig-tool.ts'\nexport const turn = rigTool\n",
    })
    expect(findViolations(root)).toHaveLength(1)
  })

  it('refuses product code of ours inside the runtime, and providers inside its agent', () => {
    plant({
      'packages/protocol/src/index.ts': 'export const protocol = 1\n',
      'packages/rig/src/providers/openai/codec.ts': 'export const codec = 1\n',
      'packages/rig/src/agent/agent.ts': "import { codec } from '../providers/openai/codec.ts'\nimport { protocol } from '@buildscale/protocol'\nexport const agent = [codec, protocol]\n",
    })
    expect(findViolations(root).map((line) => line.slice(0, line.indexOf(' (')))).toEqual([
      'packages/rig/src/agent/agent.ts: rig/agent may not import rig/providers',
      'packages/rig/src/agent/agent.ts: rig/agent may not import protocol',
    ])
  })

  it('wants the prefix on what those files export, too', () => {
    plant({ 'backend/src/services/chat/rig-service.ts': 'export class RigService {}\nexport function rigTool() {}\nexport const helper = 1\n' })
    expect(findViolations(root)).toEqual(['backend/src/services/chat/rig-service.ts: exports helper; names exported here start with Rig'])
  })

  it('reports a cycle once, with the way around it', () => {
    plant({ 'cli/src/a.ts': "import './b.ts'\n", 'cli/src/b.ts': "import './a.ts'\n" })
    expect(findViolations(root)).toEqual(['import cycle: cli/src/a.ts -> cli/src/b.ts -> cli/src/a.ts'])
  })

  it('refuses a file that belongs to no zone', () => {
    plant({ 'web/other/x.ts': "import '../../packages/rig/src/index.ts'\n" })
    expect(findViolations(root)).toEqual(['web/other/x.ts: belongs to no zone of scripts/import-table.ts'])
  })
})
