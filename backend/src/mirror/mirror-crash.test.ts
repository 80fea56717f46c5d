import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { MirrorFixture } from '../../test/support/mirror-fixture.ts'

const PROGRAM = join(import.meta.dirname, '../../test/support/mirror-crash-program.ts')

it('agrees with the database after the process was killed at any moment, again and again, and takes nothing of ours for foreign', async () => {
  await using fixture = await MirrorFixture.create()
  const workspaceId = await fixture.newWorkspace()
  for (let round = 0; round < 6; round += 1) {
    await fixture.restart()
    await fixture.mirror.close()
    const child = spawn(process.execPath, [PROGRAM, fixture.dataDir, workspaceId], { env: { ...process.env, ...fixture.database.env }, stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(child, 'exit')
    await once(child.stdout, 'data')
    await setTimeout(100 + Math.random() * 400)
    child.kill('SIGKILL')
    await ended
    await fixture.restart()
    await fixture.mirror.start()
    const { applied, current } = await fixture.mirror.waitFor(workspaceId, { timeoutMs: 20_000 })
    expect([current, applied > 0]).toEqual([true, true])
    expect(await fixture.mirror.inspect(workspaceId, { deep: true, repair: false })).toMatchObject({ differences: [] })
  }
  const kept = join(fixture.dataDir, 'lost+found', workspaceId)
  expect(existsSync(kept) ? readdirSync(kept, { recursive: true }) : []).toEqual([])
}, 60_000)
