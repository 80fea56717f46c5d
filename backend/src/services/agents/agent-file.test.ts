import { describe, expect, it } from 'vitest'
import { parseAgentFile } from './agent-file.ts'

const TOOLS = ['ls', 'read', 'write', 'edit', 'grep']
const rules = { tools: TOOLS, modelFault: (model: string) => (model.startsWith('openai:') ? undefined : `The model "${model}" cannot be used.`) }
const parse = (text: string, folder = 'scribe') => parseAgentFile({ text, path: `/system/agents/${folder}/AGENT.md`, folder, version: 3 }, rules)
const faults = (text: string, folder?: string) => parse(text, folder).errors.map(({ line, message }) => `${line}: ${message}`)

describe('an agent file', () => {
  it('says who the agent is and what it may do', () => {
    const text = '---\nname: scribe\ndescription: Writes minutes.\nmodel: openai:gpt-4o\ntemperature: 0.2\ntools:\n  - write\n  - read\nmax_steps: 12\nskills: [minutes]\n---\n\nYou write minutes.\n'
    expect(parse(text)).toMatchObject({
      errors: [],
      warnings: [],
      definition: {
        name: 'scribe',
        description: 'Writes minutes.',
        path: '/system/agents/scribe/AGENT.md',
        version: 3,
        persona: 'You write minutes.',
        tools: ['read', 'write'],
        model: 'openai:gpt-4o',
        temperature: 0.2,
        max_steps: 12,
        skills: ['minutes'],
      },
    })
  })

  it('needs a description and a persona, and leaves the rest to the defaults', () => {
    expect(parse('---\ndescription: Writes.\n---\nYou write.').definition).toMatchObject({ tools: TOOLS, model: null, temperature: null, max_steps: 100, skills: null })
  })

  it('may come from Windows: a byte order mark and CRLF change nothing', () => {
    const { definition } = parse('\uFEFF---\r\ndescription: Writes.\r\ntools: read, grep\r\n---\r\n\r\nOne.\r\nTwo.\r\n')
    expect(definition).toMatchObject({ tools: ['read', 'grep'], persona: 'One.\nTwo.' })
  })

  it.each([
    ['tools: "*"', TOOLS],
    ['tools: ["*"]', TOOLS],
    ['tools: []', []],
    ['tools: grep read', ['read', 'grep']],
    ['tools: [grep, read, grep]', ['read', 'grep']],
    ['tools:', TOOLS],
  ])('with `%s` has the tools %j, in the order of all tools', (line, tools) => {
    expect(parse(`---\ndescription: d\n${line}\n---\np`).definition?.tools).toEqual(tools)
  })

  it.each([
    ['no front matter', 'You write.', ['1: The file must begin with front matter: a line "---", then settings such as "description: …", then a line "---", then the instructions.']],
    ['front matter that does not end', '---\ndescription: d\n', ['1: The front matter that begins here has no closing line "---".']],
    ['front matter that is a list', '---\n- a\n---\np', ['2: The front matter must be settings of the form "name: value", such as "description: …".']],
    ['a star without quotes', '---\ndescription: d\ntools: *\n---\np', ['3: Anchors and aliases ("&", "*") are not understood here: write the value out, or put quotes around it.']],
    ['an unknown tool', '---\ndescription: d\ntools:\n  - read\n  - wirte\n---\np', ['5: There is no tool "wirte". Did you mean "write"?']],
    ['a tool that is like none', '---\ndescription: d\ntools: [teleport]\n---\np', ['3: There is no tool "teleport". Tools: ls, read, write, edit, grep.']],
    ['a tool that is no name', '---\ndescription: d\ntools: [read, {a: 1}]\n---\np', ['3: "tools" must be a list of names, and has {"a":1} in it.']],
    ['tools that are a map', '---\ndescription: d\ntools: {read: true}\n---\np', ['3: "tools" must be a list of names, and is {"read":true}.']],
    ['a misspelt setting', '---\ndescription: d\ntool: [read]\n---\np', ['3: There is no setting "tool". Did you mean "tools"?']],
    ['a setting that is like none', '---\ndescription: d\ncolour: red\n---\np', ['3: There is no setting "colour". Settings: name, description, model, temperature, tools, max_steps, skills.']],
    ['another name than the folder', '---\ndescription: d\nname: other\n---\np', ['3: "name" must be that of the folder, "scribe", and is "other".']],
    ['no description', '---\nname: scribe\n---\np', ['2: "description" is missing: one or two sentences that say what it does and when to use it.']],
    ['a description that is no text', '---\nname: scribe\ndescription: [a]\n---\np', ['3: "description" must be text, and is ["a"].']],
    ['a description that is too long', `---\ndescription: ${'d'.repeat(1_025)}\n---\np`, ['2: "description" has 1025 characters; 1024 are the most.']],
    ['a model that cannot be used', '---\ndescription: d\nmodel: other:x\n---\np', ['3: The model "other:x" cannot be used.']],
    ['a model that is no text', '---\ndescription: d\nmodel: 4\n---\np', ['3: "model" must be text, and is 4.']],
    ['a temperature out of range', '---\ndescription: d\ntemperature: 2.5\n---\np', ['3: "temperature" must be a number from 0 to 2, and is 2.5.']],
    ['a temperature that is no number', '---\ndescription: d\ntemperature: .nan\n---\np', ['3: "temperature" must be a number from 0 to 2, and is null.']],
    ['half a step', '---\ndescription: d\nmax_steps: 1.5\n---\np', ['3: "max_steps" must be a whole number from 1 to 1000, and is 1.5.']],
    ['no steps', '---\ndescription: d\nmax_steps: 0\n---\np', ['3: "max_steps" must be a whole number from 1 to 1000, and is 0.']],
    ['skills that are a number', '---\ndescription: d\nskills: 3\n---\np', ['3: "skills" must be a list of names, and is 3.']],
    ['no persona', '---\ndescription: d\n---\n\n', ['4: The instructions to the agent are missing: write below the front matter who it is and how it works.']],
    ['a persona that is too long', `---\ndescription: d\n---\n${'p'.repeat(100_001)}`, ['4: The instructions have 100001 characters; 100000 are the most, because every model call carries them. Put what is needed only sometimes into a skill.']],
  ])('with %s is reported with its line', (_, text, expected) => {
    expect(faults(text)).toEqual(expected)
    expect(parse(text).definition).toBeUndefined()
  })

  it('is reported with all that is wrong at once, from top to bottom', () => {
    expect(faults('---\nmax_steps: many\ntools: [raed]\nname: x\n---\n').map((fault) => fault.split(':')[0])).toEqual(['2', '2', '3', '4', '6'])
  })

  it('in a folder whose name nobody could type is reported', () => {
    expect(faults('---\ndescription: d\n---\np', 'My Agent')).toEqual(['2: The folder "My Agent" cannot be a name: names are lower-case letters and digits, parted by single hyphens. Rename the folder.'])
    expect(faults('---\ndescription: d\n---\np', 'a'.repeat(65))[0]).toContain('65 characters, 64 are the most')
  })
})
