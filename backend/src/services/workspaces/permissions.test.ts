import { ROLES } from '@buildscale/protocol'
import { expect, it } from 'vitest'
import { isAllowed, type Permission, requirePermission } from './permissions.ts'

const TABLE: Record<Permission, readonly string[]> = {
  read: ['viewer', 'editor', 'admin', 'owner'],
  write_files: ['editor', 'admin', 'owner'],
  chat: ['editor', 'admin', 'owner'],
  manage_members: ['admin', 'owner'],
  purge: ['admin', 'owner'],
  change_settings: ['admin', 'owner'],
  manage_owners: ['owner'],
  delete_workspace: ['owner'],
}

it.each(Object.keys(TABLE) as Permission[])('grants %s to exactly the roles of the table', (permission) => {
  expect(ROLES.filter((role) => isAllowed(role, permission))).toEqual(TABLE[permission])
})

it('names the role that would do', () => {
  expect(() => requirePermission('viewer', 'write_files')).toThrow('Your role here is viewer; this needs editor.')
})
