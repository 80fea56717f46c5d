import { expect, it } from 'vitest'
import { nearNames } from './near-names.ts'

it.each([
  ['raed', ['read', 'ls', 'grep'], ['read']],
  ['wirte', ['write', 'edit'], ['write']],
  ['planer', ['planner', 'builder'], ['planner']],
  ['Read', ['read'], ['read']],
  ['write_file', ['write', 'read'], ['write']],
  ['readme', ['README.md', 'main.ts'], ['README.md']],
  ['teleport', ['ls', 'read', 'rm'], []],
  ['rm', ['mv', 'ls'], []],
  ['', ['a'], []],
])('of %j among %j finds %j', (wanted, names, near) => {
  expect(nearNames(wanted, names)).toEqual(near)
})
