import { z } from 'zod'
import { endpoint } from './endpoint.ts'
import { workspace } from './workspaces.ts'
import { empty, id, nothing, page, paging, time } from './shared.ts'

export const user = z.object({ id, name: z.string(), email: z.string().nullable(), created_at: time })
export type User = z.output<typeof user>

const none = { params: nothing, query: nothing, body: nothing, bodyKind: 'none' } as const

export const health = endpoint({
  ...none,
  name: 'health',
  summary: 'Is the process up?',
  method: 'GET',
  path: '/health',
  access: 'none',
  response: z.object({ status: z.literal('ok'), version: z.string() }),
  responseKind: 'json',
  status: 200,
})

/** 503 with the same body when a part does not answer. */
export const ready = endpoint({
  ...none,
  name: 'ready',
  summary: 'Can it serve? 503 otherwise, naming the part.',
  method: 'GET',
  path: '/ready',
  access: 'none',
  response: z.object({
    status: z.enum(['ready', 'unavailable']),
    parts: z.record(z.string(), z.object({ ok: z.boolean(), detail: z.string().optional() })),
  }),
  responseKind: 'json',
  status: 200,
})

export const me = endpoint({
  ...none,
  name: 'me',
  summary: 'Who am I, and where am I a member?',
  method: 'GET',
  path: '/me',
  access: 'user',
  response: z.object({ user, workspaces: z.array(workspace) }),
  responseKind: 'json',
  status: 200,
})

export const modelEntry = z.object({ id: z.string(), provider: z.string(), available: z.boolean(), default: z.boolean() })

export const listModels = endpoint({
  ...none,
  name: 'listModels',
  summary: 'The models that this server can use.',
  method: 'GET',
  path: '/models',
  access: 'user',
  response: z.object({
    items: z.array(modelEntry),
    /** True when the default model is the offline model. */
    offline: z.boolean(),
    problems: z.array(z.object({ provider: z.string(), message: z.string() })),
  }),
  responseKind: 'json',
  status: 200,
})

export const openApi = endpoint({
  ...none,
  name: 'openApi',
  summary: 'This API as an OpenAPI 3.1 document.',
  method: 'GET',
  path: '/openapi.json',
  access: 'none',
  response: z.record(z.string(), z.unknown()),
  responseKind: 'json',
  status: 200,
})

/** Exchanges a one-time sign-in code for the UI's cookie. */
export const createSession = endpoint({
  ...none,
  name: 'createSession',
  summary: 'Sign in a browser with a one-time code; sets the cookie.',
  method: 'POST',
  path: '/session',
  access: 'none',
  body: z.strictObject({ code: z.string().min(1).max(200) }),
  bodyKind: 'json',
  response: z.object({ user }),
  responseKind: 'json',
  status: 200,
})

export const deleteSession = endpoint({
  ...none,
  name: 'deleteSession',
  summary: 'Sign the browser out.',
  method: 'DELETE',
  path: '/session',
  access: 'user',
  response: empty,
  responseKind: 'empty',
  status: 204,
})

/** Not in the public contract's tables, but what `buildscale login` needs: a new sign-in code for the caller. */
export const createSignInCode = endpoint({
  ...none,
  name: 'createSignInCode',
  summary: 'A new one-time sign-in code for the caller, valid for 10 minutes.',
  method: 'POST',
  path: '/session/code',
  access: 'user',
  response: z.object({ code: z.string(), url: z.string(), expires_at: time }),
  responseKind: 'json',
  status: 201,
})

export const createUser = endpoint({
  ...none,
  name: 'createUser',
  summary: 'Add a user; the local owner only.',
  method: 'POST',
  path: '/users',
  access: 'user',
  body: z.strictObject({ name: z.string().trim().min(1).max(200), email: z.email().max(320).optional() }),
  bodyKind: 'json',
  response: z.object({ user }),
  responseKind: 'json',
  status: 201,
})

const apiToken = z.object({ id, user_id: id, name: z.string(), created_at: time, expires_at: time.nullable(), last_used_at: time.nullable() })

export const createToken = endpoint({
  ...none,
  name: 'createToken',
  summary: 'Make an API token, shown once; for another user: the local owner only.',
  method: 'POST',
  path: '/tokens',
  access: 'user',
  body: z.strictObject({ user_id: id.optional(), name: z.string().trim().min(1).max(200), expires_at: time.optional() }),
  bodyKind: 'json',
  response: z.object({ id, token: z.string() }),
  responseKind: 'json',
  status: 201,
})

export const listTokens = endpoint({
  ...none,
  name: 'listTokens',
  summary: 'The caller’s API tokens, without their secrets.',
  method: 'GET',
  path: '/tokens',
  access: 'user',
  query: z.strictObject(paging),
  response: page(apiToken),
  responseKind: 'json',
  status: 200,
})

export const deleteToken = endpoint({
  ...none,
  name: 'deleteToken',
  summary: 'Revoke one of the caller’s API tokens.',
  method: 'DELETE',
  path: '/tokens/:id',
  access: 'user',
  params: z.strictObject({ id }),
  response: empty,
  responseKind: 'empty',
  status: 204,
})

export const DIFFERENCE_KINDS = ['missing', 'extra', 'content', 'type'] as const

export const doctorReport = z.object({
  ok: z.boolean(),
  workspaces: z.array(
    z.object({
      id,
      name: z.string(),
      change_seq: z.number().int(),
      applied_seq: z.number().int(),
      differences: z.array(z.object({ path: z.string(), kind: z.enum(DIFFERENCE_KINDS), reason: z.string().optional() })),
      notice: z.string().optional(),
    }),
  ),
})
export type DoctorReport = z.output<typeof doctorReport>

export const doctor = endpoint({
  ...none,
  name: 'doctor',
  summary: 'Compare database and mirror, and repair; the local owner only.',
  method: 'POST',
  path: '/doctor',
  access: 'user',
  body: z.strictObject({ repair: z.boolean().default(false), deep: z.boolean().default(false) }),
  bodyKind: 'json',
  response: doctorReport,
  responseKind: 'json',
  status: 200,
})
