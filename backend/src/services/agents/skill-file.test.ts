import { describe, expect, it } from 'vitest'
import { parseSkillFile } from './skill-file.ts'

const parse = (text: string, folder = 'pdf-forms') => parseSkillFile({ text, path: `/system/skills/${folder}/SKILL.md`, folder, version: 1 })
const shownFaults = (faults: readonly { line: number; message: string }[]) => faults.map(({ line, message }) => `${line}: ${message}`)

describe('a skill file', () => {
  it('in the open format is read whole: name, description and what is optional', () => {
    const text = '---\nname: pdf-forms\ndescription: Fills in PDF forms. Use when a form is to be filled.\nlicense: Apache-2.0\ncompatibility: Needs poppler\nmetadata:\n  author: ada\n  version: "1.0"\nallowed-tools: Bash(pdftk:*) Read\n---\n\n# Forms\n'
    expect(parse(text)).toMatchObject({
      errors: [],
      warnings: [],
      definition: {
        name: 'pdf-forms',
        description: 'Fills in PDF forms. Use when a form is to be filled.',
        license: 'Apache-2.0',
        compatibility: 'Needs poppler',
        metadata: { author: 'ada', version: '1.0' },
        allowed_tools: ['Bash(pdftk:*)', 'Read'],
      },
    })
  })

  it('has its description in one line, however it is written', () => {
    expect(parse('---\nname: pdf-forms\ndescription: >\n  Fills in\n  forms.\n\n  Use it.\n---\n').definition?.description).toBe('Fills in forms. Use it.')
  })

  it.each([
    ['no front matter', '# Forms', 1],
    ['no name', '---\ndescription: d\n---\n', 2],
    ['another name than the folder', '---\ndescription: d\nname: forms\n---\n', 3],
    ['a name that is a number', '---\ndescription: d\nname: 7\n---\n', 3],
    ['no description', '---\nname: pdf-forms\n---\n', 2],
    ['an empty description', '---\nname: pdf-forms\ndescription: "  "\n---\n', 3],
    ['a description over 1,024 characters', `---\nname: pdf-forms\ndescription: ${'d'.repeat(1_025)}\n---\n`, 3],
    ['a colon that should be quoted', '---\nname: pdf-forms\ndescription: Use: always\n---\n', 3],
    ['a key twice', '---\nname: pdf-forms\ndescription: d\nname: pdf-forms\n---\n', 4],
  ])('with %s is broken, at its line', (_, text, line) => {
    const { errors, definition } = parse(text)
    expect(errors[0]?.line).toBe(line)
    expect(definition).toBeUndefined()
  })

  it.each(['PDF-forms', 'pdf--forms', '-pdf', 'pdf-', 'pdf_forms', 'pdf forms', 'a'.repeat(65)])('in a folder named %j is broken: the format does not allow the name', (folder) => {
    expect(parse(`---\nname: "${folder}"\ndescription: d\n---\n`, folder).errors[0]?.line).toBe(2)
  })

  it('with fields that are not of the format, or wrong in what is optional, is offered all the same, with a warning each', () => {
    const { warnings, errors, definition } = parse(`---\nname: pdf-forms\ndescription: d\nversion: 2\nlicense: [a]\ncompatibility: ${'c'.repeat(501)}\nmetadata: x\n---\n`)
    expect(errors).toEqual([])
    expect(definition).toMatchObject({ license: null, metadata: {} })
    expect(shownFaults(warnings)).toEqual([
      '4: "version" is not a field of the format and is not used. What is your own belongs below "metadata".',
      '5: "license" must be text, and is ["a"].',
      '6: "compatibility" has 501 characters; the format allows 500.',
      '7: "metadata" must be fields of the form "name: value", and is "x".',
    ])
  })
})
