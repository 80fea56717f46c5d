import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CliProcess, runCli } from '../../cli/src/testing/cli-process.ts'
import { type RunningApp, startApp } from './support/running-app.ts'

let app: RunningApp
beforeAll(async () => {
  app = await startApp()
})
afterAll(() => app[Symbol.asyncDispose]())

const cli = (...args: string[]) => runCli(args, { BUILDSCALE_URL: app.url, BUILDSCALE_TOKEN: app.token })
const put = (path: string, text: string) => app.client.files(app.workspaceId).put(path, text)

describe('buildscale agents and skills', () => {
  it('list what there is, and end with 0', async () => {
    const { code, stdout } = await cli('agents')
    expect(code).toBe(0)
    expect(stdout.split('\n').map((line) => line.split(/\s{2,}/).slice(0, 2))).toEqual([['assistant', 'built-in'], ['planner', 'built-in'], ['builder', 'built-in'], ['reviewer', 'built-in'], ['']])
    expect(await cli('skills')).toMatchObject({ code: 0, stdout: 'No skills. One is a file /system/skills/<name>/SKILL.md in the workspace.\n' })
  })

  it('write a built-in agent as a file that defines the same one, once', async () => {
    const [before] = (await app.client.agents(app.workspaceId).list()).items.filter(({ name }) => name === 'reviewer')
    expect(await cli('agents', '--eject', 'reviewer')).toMatchObject({ code: 0, stdout: '/system/agents/reviewer/AGENT.md\n' })
    const [after] = (await app.client.agents(app.workspaceId).list()).items.filter(({ name }) => name === 'reviewer')
    expect(after).toEqual({ ...before, source: 'file', path: '/system/agents/reviewer/AGENT.md', version: 1, content: null })
    expect(await cli('agents', '--eject', 'reviewer')).toMatchObject({ code: 1, stderr: 'error: The agent reviewer is a file already: /system/agents/reviewer/AGENT.md\n' })
    expect((await cli('agents', '--eject', 'nobody')).stderr).toContain('There are: assistant, planner, builder, reviewer')
  })

  it('let a chosen agent answer, with the tools that it has', async () => {
    await put('/system/agents/looker/AGENT.md', '---\ndescription: Looks.\ntools: [ls]\n---\nYou look.')
    const { code, stdout } = await cli('run', 'list the files', '--agent', 'looker')
    expect({ code, text: stdout }).toMatchObject({ code: 0, text: expect.stringContaining('/system/') as string })
    expect((await cli('run', 'hello', '--agent', 'loker')).stderr).toContain('Did you mean "looker"?')
  })

  it('name each fault as path, line and column, and end with 1', async () => {
    await put('/system/agents/broken/AGENT.md', '---\ndescription: d\ntools: [raed]\n---\np')
    await put('/system/skills/style/SKILL.md', '---\nname: style\nversion: 2\n---\n')
    const agents = await cli('agents')
    expect(agents.code).toBe(1)
    expect(agents.stdout).toContain('broken     BROKEN    version 1 of /system/agents/broken/AGENT.md\n  /system/agents/broken/AGENT.md:3:9: There is no tool "raed". Did you mean "read"?\n')
    const skills = await cli('skills', '--json')
    expect(skills.code).toBe(1)
    expect(JSON.parse(skills.stdout)).toMatchObject([{ name: 'style', errors: [{ line: 2 }], warnings: [{ line: 3 }] }])
    const run = await cli('run', 'hello', '--agent', 'broken')
    expect(run.code).toBe(1)
    expect(run.stderr).toContain('/system/agents/broken/AGENT.md, line 3')
  })
})

describe('buildscale chat', () => {
  it('sends a message that begins with a skill, and no command that is mistyped', async () => {
    await put('/system/skills/greet/SKILL.md', '---\nname: greet\ndescription: Greets.\n---\nSay hello.')
    await using chat = new CliProcess(['chat', '--agent', 'builder'], { BUILDSCALE_URL: app.url, BUILDSCALE_TOKEN: app.token })
    chat.type('/gret Ada\n/greet Ada\nlist the files\n')
    chat.closeStdin()
    expect(await chat.exited).toBe(0)
    expect(chat.stderr).toContain('No command and no skill /gret.')
    const [newest] = (await app.client.chats(app.workspaceId).list()).items
    expect(newest?.agent).toBe('builder')
    const { items } = await app.client.chats(app.workspaceId).messages(newest?.id ?? '')
    const asked = items.filter(({ role }) => role === 'user').map(({ parts }) => parts.map((part) => (part.type === 'text' ? part.text : part.type)))
    expect(asked).toEqual([['file', '/greet Ada'], ['list the files']])
  })
})
