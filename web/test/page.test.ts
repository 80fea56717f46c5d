import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FixtureServer } from '../../packages/sdk/test/support/fixture-server.ts'

const CANDIDATES = [process.env['CHROMIUM_PATH'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/snap/bin/chromium']
const executablePath = CANDIDATES.find((path) => path !== undefined && existsSync(path))
/** Runs in the page: some violations of the content security policy are not written to the console. */
const REPORT_VIOLATIONS = `document.addEventListener('securitypolicyviolation', (event) => reportViolation('policy: ' + event.violatedDirective + ' ' + event.blockedURI))`
const WEB = join(import.meta.dirname, '..')

it.runIf(process.env['CI'] === 'true')('has a browser in CI', () => {
  expect(executablePath, `none of ${CANDIDATES.join(', ')}`).toBeDefined()
})

describe.skipIf(executablePath === undefined)('the page in a browser', () => {
  let browser: Browser
  let webRoot: string

  beforeAll(async () => {
    webRoot = await mkdtemp(join(tmpdir(), 'buildscale-web-test-'))
    await build({ configFile: join(WEB, 'vite.config.ts'), logLevel: 'error', build: { outDir: webRoot, emptyOutDir: true } })
    browser = await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] })
  })

  afterAll(async () => {
    await browser.close()
    await rm(webRoot, { recursive: true })
  })

  /** A page of its own on a server of its own; what the console or the policy complains about fails the test. */
  async function openPage(): Promise<{ server: FixtureServer; page: Page; complaints: string[]; [Symbol.asyncDispose](): Promise<void> }> {
    const server = await FixtureServer.start({ webRoot })
    const context = await browser.newContext()
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())))
    await page.exposeFunction('reportViolation', (text: string) => void complaints.push(text))
    await page.addInitScript(REPORT_VIOLATIONS)
    page.on('pageerror', (error) => complaints.push(error.message))
    const dispose = async (): Promise<void> => {
      await context.close()
      await server[Symbol.asyncDispose]()
    }
    return { server, page, complaints, [Symbol.asyncDispose]: dispose }
  }

  async function openChat({ server, page }: { server: FixtureServer; page: Page }): Promise<void> {
    await page.goto(`${server.url}/sign-in#code=fixture-code`)
    await page.getByRole('button', { name: 'New chat' }).click()
    await page.getByText('Live').waitFor()
  }

  it('signs in by the link, forgets the code, and stays signed in', async () => {
    await using opened = await openPage()
    const { server, page, complaints } = opened
    await page.goto(`${server.url}/sign-in#code=fixture-code`)
    await page.getByRole('tab', { name: 'Files' }).waitFor()
    expect(page.url()).not.toContain('code')
    await page.reload()
    await page.getByRole('tab', { name: 'Files' }).waitFor()
    expect(complaints).toEqual([])
  })

  it('says how to sign in, refuses a wrong code and takes a pasted link', async () => {
    await using opened = await openPage()
    const { server, page, complaints } = opened
    await page.goto(server.url)
    await page.getByText('npx buildscale login').waitFor()
    await page.getByLabel('Sign-in code or link').fill('wrong')
    await page.keyboard.press('Enter')
    expect(await page.getByRole('alert').textContent()).toContain('wrong, used or too old')
    await page.getByLabel('Sign-in code or link').fill(`${server.url}/sign-in#code=fixture-code`)
    await page.keyboard.press('Enter')
    await page.getByRole('tab', { name: 'Files' }).waitFor()
    expect(complaints.filter((text) => text.startsWith('policy'))).toEqual([])
  })

  it('sends with Enter, shows the turn as it runs and the file that it wrote', async () => {
    await using opened = await openPage()
    const { page, complaints } = opened
    await openChat(opened)
    await page.getByLabel('Message', { exact: true }).fill('write /notes.md a line')
    await page.keyboard.press('Enter')

    await page.getByText('You said “write /notes.md a line”. 日本語 🎉').waitFor()
    await page.getByText('I look at the request. 🧐').waitFor()
    await page.getByText('done, 12 ms').waitFor()
    await page.getByRole('button', { name: 'notes.md' }).click()
    await page.locator('pre.content').getByText('a line').waitFor()
    expect(await page.getByLabel('Version').locator('option').count()).toBe(2)
    expect(complaints).toEqual([])
  })

  it('starts a new line with Shift+Enter', async () => {
    await using opened = await openPage()
    const { page } = opened
    await openChat(opened)
    await page.getByLabel('Message', { exact: true }).fill('one')
    await page.keyboard.press('Shift+Enter')
    await page.keyboard.type('two')
    expect(await page.getByLabel('Message', { exact: true }).inputValue()).toBe('one\ntwo')
  })

  it('stops a turn', async () => {
    await using opened = await openPage()
    const { page } = opened
    await openChat(opened)
    await page.getByLabel('Message', { exact: true }).fill('slow please')
    await page.keyboard.press('Enter')
    await page.getByText('still here').first().waitFor()
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByText('Stopped.').waitFor()
    expect(await page.getByRole('button', { name: 'Stop' }).count()).toBe(0)
  })

  it('shows the same after a reload in the middle of a turn', async () => {
    await using opened = await openPage()
    const { server, page } = opened
    await openChat(opened)
    await page.getByLabel('Message', { exact: true }).fill('slow please')
    await page.keyboard.press('Enter')
    await page.getByText('still here').first().waitFor()
    await page.reload()
    await page.getByText('still here').first().waitFor()
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByText('Stopped.').waitFor()
    const [chat] = [...server.main.chats.values()]
    const written = chat?.events.flatMap((event) => (event.type === 'chunk' ? [event.data.text] : [])) ?? []
    expect((await page.locator('.message.assistant .text').allTextContents()).join('')).toBe(written.join(''))
  })

  it('says that the connection is lost, and continues when it is back', async () => {
    await using opened = await openPage()
    const { server, page } = opened
    await openChat(opened)
    server.faults.answer = 'unavailable'
    server.dropConnections()
    await page.getByText('Connection lost').waitFor()
    server.faults.answer = undefined
    await page.getByText('Live').waitFor()
    await page.getByLabel('Message', { exact: true }).fill('hello again')
    await page.keyboard.press('Enter')
    await page.getByText('You said “hello again”').waitFor()
  })

  it('says plainly that the offline model is in use', async () => {
    await using opened = await openPage()
    const { page } = opened
    await openChat(opened)
    expect(await page.locator('.model').textContent()).toContain('Model: offline:rules Offline model: it follows simple instructions by rules')
  })

  it('shows why a turn failed', async () => {
    await using opened = await openPage()
    const { page } = opened
    await openChat(opened)
    await page.getByLabel('Message', { exact: true }).fill('fail now')
    await page.keyboard.press('Enter')
    await page.getByText('The model does not answer.').waitFor()
  })

  it('does not run what a message contains', async () => {
    await using opened = await openPage()
    const { page, complaints } = opened
    await openChat(opened)
    await page.getByLabel('Message', { exact: true }).fill('<img src=x onerror="document.title=1">')
    await page.keyboard.press('Enter')
    await page.getByText('You said “<img src=x').waitFor()
    expect(await page.title()).toBe('BuildScale')
    expect(complaints).toEqual([])
  })
})
