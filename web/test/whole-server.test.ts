import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningApp, startApp } from '../../backend/test/support/running-app.ts'

const executablePath = [process.env['CHROMIUM_PATH'], '/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => path !== undefined && existsSync(path))
const WEB = join(import.meta.dirname, '..')

/** The page, the server, the offline model, PostgreSQL and the disk: nothing between them is made for tests. */
describe.skipIf(executablePath === undefined)('the page on the whole server', () => {
  let browser: Browser
  let webRoot: string
  let app: RunningApp

  beforeAll(async () => {
    webRoot = await mkdtemp(join(tmpdir(), 'buildscale-page-'))
    await build({ configFile: join(WEB, 'vite.config.ts'), logLevel: 'error', build: { outDir: webRoot, emptyOutDir: true } })
    browser = await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] })
    app = await startApp({ webRoot })
  })

  afterAll(async () => {
    await browser.close()
    await app[Symbol.asyncDispose]()
    await rm(webRoot, { recursive: true })
  })

  it('signs in once by a link, follows a turn live, shows the file it wrote, and shows the same after a reload', async () => {
    const { code } = await app.client.signInCode()
    const page = await browser.newPage()
    const complaints: string[] = []
    page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())))
    page.on('pageerror', (error) => void complaints.push(error.message))
    await page.goto(`${app.url}/sign-in#code=${code}`)
    await page.getByRole('button', { name: 'New chat' }).click()
    await page.getByLabel('Message', { exact: true }).fill('create /hello.md with the text "Good day"')
    await page.keyboard.press('Enter')
    await page.getByText('I wrote /hello.md').waitFor()
    await page.getByRole('button', { name: 'hello.md' }).click()
    await page.locator('pre.content').getByText('Good day').waitFor()
    await page.reload()
    await page.getByText('I wrote /hello.md').waitFor()
    expect(complaints).toEqual([])

    const stranger = await browser.newPage()
    await stranger.goto(`${app.url}/sign-in#code=${code}`)
    expect(await stranger.getByRole('alert').textContent()).toContain('used')
  })
})
