/** `npm run bench:install`: installs the compared packages from their own lockfile. None of them needs its install scripts, so none is run. */
import { spawnSync } from 'node:child_process'
import { PEERS_FOLDER } from './peers.ts'

const npm = process.env['npm_execpath']
const [command, first] = npm?.endsWith('.js') === true ? [process.execPath, [npm]] : ['npm', []]
const { status } = spawnSync(command, [...first, 'ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: PEERS_FOLDER, stdio: 'inherit' })
process.exitCode = status ?? 1
