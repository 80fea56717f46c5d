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

    await page.close()
    const stranger = await browser.newPage()
    await stranger.goto(`${app.url}/sign-in#code=${code}`)
    expect(await stranger.getByRole('alert').textContent()).toContain('used')
    await stranger.close()
  })

  it('offers the agents, works with the keyboard, and says which file is broken and where', async () => {
    const files = app.client.files(app.workspaceId)
    await files.put('/system/agents/scribe/AGENT.md', '---\ndescription: Writes the minutes.\ntools: [ls, read]\n---\nYou write minutes.\n')
    await files.put('/system/agents/broken/AGENT.md', '---\ndescription: Does not work.\ntools: [raed]\nmax_steps: many\n---\nYou try.\n')
    await files.put('/system/skills/style/SKILL.md', '---\nname: style\ndescription: Says how we write.\n---\n')
    const { code } = await app.client.signInCode()
    const page = await browser.newPage()
    const complaints: string[] = []
    page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())))
    await page.goto(`${app.url}/sign-in#code=${code}`)
    await page.getByRole('button', { name: 'New chat' }).click()
    await page.getByText('/style').waitFor()
    const select = page.getByLabel('Agent')
    await page.getByText('Answers questions about the workspace').waitFor()
    expect(await select.locator('option').allTextContents()).toEqual(['assistant', 'planner', 'builder', 'reviewer', 'broken (broken)', 'scribe'])
    expect(await select.locator('option').nth(4).isDisabled()).toBe(true)
    await select.focus()
    await page.keyboard.type('scr')
    await page.keyboard.press('Enter')
    await page.getByText('Writes the minutes.').waitFor()
    await page.getByLabel('Message', { exact: true }).fill('list the files')
    await page.keyboard.press('Enter')
    await page.getByText('ls').first().waitFor()
    const [chat] = (await app.client.chats(app.workspaceId).list()).items
    expect(chat?.agent).toBe('scribe')

    await page.getByText('1 definition is broken').click()
    await page.getByText('line 3: There is no tool "raed".').waitFor()
    await page.getByRole('button', { name: '/system/agents/broken/AGENT.md' }).click()
    const note = page.locator('.definition-note')
    await note.getByText('This agent cannot be used').waitFor()
    expect(await note.getByRole('listitem').allTextContents()).toEqual([expect.stringMatching(/^Line 3, column 9: There is no tool "raed"/), 'Line 4, column 1: "max_steps" must be a whole number from 1 to 1000, and is "many".'])
    expect(complaints).toEqual([])
    await page.close()
  })

  it('starts a chat also when the file of the usual agent is broken', async () => {
    await app.client.files(app.workspaceId).put('/system/agents/assistant/AGENT.md', 'no front matter')
    const { code } = await app.client.signInCode()
    const page = await browser.newPage()
    await page.goto(`${app.url}/sign-in#code=${code}`)
    await page.getByText(/definitions are broken/).waitFor()
    await page.getByRole('button', { name: 'New chat' }).first().click()
    await page.getByText('Nothing here yet').waitFor()
    expect(await page.getByLabel('Agent').inputValue()).toBe('planner')
    await app.client.files(app.workspaceId).put('/system/agents/assistant/AGENT.md', '---\ndescription: Mended.\n---\nYou help.\n')
    await page.getByLabel('Agent').focus()
    await page.getByLabel('Agent').selectOption('assistant')
    await page.getByText('Mended.').waitFor()
    await page.close()
  })

  it('shows what a version changed and goes back to it, finds words in files, and gives back what was removed', async () => {
    const files = app.client.files(app.workspaceId)
    await files.put('/poem.txt', 'roses are red\nviolets are blue\n')
    await files.put('/poem.txt', 'roses are red\nviolets are violet\n')
    await files.put('/old/letter.txt', 'Dear reader')
    await files.remove('/old')
    const { code } = await app.client.signInCode()
    const page = await browser.newPage()
    const complaints: string[] = []
    page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())))
    await page.goto(`${app.url}/sign-in#code=${code}`)
    await page.getByRole('button', { name: 'poem.txt' }).click()
    await page.getByLabel('What it changed').check()
    expect(await page.locator('.diff .removed').textContent()).toBe('-violets are blue\n')
    expect(await page.locator('.diff .added').textContent()).toBe('+violets are violet\n')
    await page.getByLabel('Version').selectOption('1')
    await page.getByRole('button', { name: 'Restore version 1' }).click()
    await page.getByRole('button', { name: 'Restore version 1' }).waitFor({ state: 'detached' })
    await page.locator('option', { hasText: /^3 ·/ }).waitFor({ state: 'attached' })
    expect((await files.versions('/poem.txt')).items.map(({ number }) => number)).toEqual([3, 2, 1])

    await expect.poll(async () => (await files.search('violets', { modes: ['text'] })).items.length, { timeout: 15_000 }).toBeGreaterThan(0)
    await page.getByRole('tab', { name: 'Files' }).focus()
    await page.keyboard.press('ArrowRight')
    await page.getByRole('searchbox', { name: 'Search the files' }).fill('violets')
    await page.keyboard.press('Enter')
    await page.locator('.hits mark').first().waitFor()
    expect(await page.locator('.hits mark').first().textContent()).toMatch(/violets/i)

    await page.getByRole('tab', { name: 'Trash' }).click()
    await page.getByRole('button', { name: 'Restore /old' }).click()
    await page.getByText('Nothing was removed.').waitFor()
    await page.getByRole('tab', { name: 'Files' }).click()
    await page.getByRole('button', { name: 'old/' }).waitFor()
    expect(complaints).toEqual([])
    await page.close()
  })
})
