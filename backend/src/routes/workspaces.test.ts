import { afterAll, beforeAll, expect, it } from 'vitest'
import { createHttpApp, type HttpApp } from '../../test/support/http-app.ts'

let http: HttpApp
beforeAll(async () => {
  http = await createHttpApp()
})
afterAll(() => http[Symbol.asyncDispose]())

it('creates a workspace once per Idempotency-Key', async () => {
  const create = () => http.owner.call({ method: 'POST', path: '/workspaces', body: { name: 'once' }, headers: { 'idempotency-key': 'w' } })
  const [first, second] = [await create(), await create()]
  expect([first.statusCode, second.statusCode]).toEqual([201, 201])
  expect(second.json()).toEqual(first.json())
  expect(first.json()).toMatchObject({ name: 'once', role: 'owner', change_seq: 0 })
})

it('answers 409 to a second workspace of the same name, and frees the key', async () => {
  const create = (name: string) => http.owner.call({ method: 'POST', path: '/workspaces', body: { name }, headers: { 'idempotency-key': 'clash' } })
  expect((await create('main')).statusCode).toBe(409)
  expect((await create('free again')).statusCode).toBe(201)
})

it('lists, shows and pages through the workspaces of the caller', async () => {
  const person = await http.addUser('pager')
  for (const name of ['a', 'b', 'c']) await person.call({ method: 'POST', path: '/workspaces', body: { name } })
  const first = (await person.call({ path: '/workspaces?limit=2' })).json<{ items: { id: string; name: string }[]; next_cursor: string }>()
  const second = (await person.call({ path: `/workspaces?limit=2&cursor=${first.next_cursor}` })).json<{ items: { name: string }[]; next_cursor: null }>()
  expect([...first.items, ...second.items].map(({ name }) => name)).toEqual(['a', 'b', 'c'])
  expect(second.next_cursor).toBeNull()
  expect((await person.call({ path: `/workspaces/${first.items[0]?.id}` })).json()).toMatchObject({ name: 'a' })
})

it('lets admins manage members, and shows members to all of them', async () => {
  const friend = await http.addUser('friend')
  const members = `/workspaces/${http.owner.workspaceId}/members`
  expect((await friend.call({ path: members })).statusCode).toBe(404)
  const added = await http.owner.call({ method: 'PUT', path: `${members}/${friend.id}`, body: { role: 'viewer' } })
  expect(added.json()).toMatchObject({ user_id: friend.id, name: 'friend', role: 'viewer' })
  expect((await friend.call({ path: members })).json<{ items: unknown[] }>().items).toHaveLength(2)
  expect((await friend.call({ method: 'PUT', path: `${members}/${friend.id}`, body: { role: 'owner' } })).statusCode).toBe(403)
  expect((await http.owner.call({ method: 'PUT', path: `${members}/${friend.id}`, body: { role: 'boss' } })).statusCode).toBe(400)
  expect((await http.owner.call({ method: 'DELETE', path: `${members}/${http.owner.id}` })).statusCode).toBe(409)
  expect((await friend.call({ method: 'DELETE', path: `${members}/${friend.id}` })).statusCode).toBe(204)
  expect((await friend.call({ path: members })).statusCode).toBe(404)
})
