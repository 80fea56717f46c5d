import { type DoctorReport, doctor, health, listModels, openApi, ready } from '@buildscale/protocol'
import type { FastifyInstance } from 'fastify'
import type { z } from 'zod'
import { AppError } from '../errors.ts'
import { handle } from '../http/handle.ts'
import { openApiDocument } from '../http/open-api.ts'

export interface SystemDeps {
  readonly version: string
  /** Asks every part that must answer before requests can be served. */
  readonly ready: () => Promise<z.output<typeof ready.response>['parts']>
  readonly models: () => z.output<typeof listModels.response> | Promise<z.output<typeof listModels.response>>
  readonly doctor: (options: { readonly repair: boolean; readonly deep: boolean }) => Promise<DoctorReport>
}

/** Health, models, the API's own description, and the check of database and mirror. */
export function registerSystemRoutes(app: FastifyInstance, deps: SystemDeps): void {
  const document = openApiDocument(deps.version)
  handle(app, health, () => ({ status: 'ok' as const, version: deps.version }))
  handle(app, ready, async ({ reply }) => {
    const parts = await deps.ready()
    const isReady = Object.values(parts).every(({ ok }) => ok)
    reply.code(isReady ? 200 : 503)
    return { status: isReady ? ('ready' as const) : ('unavailable' as const), parts }
  })
  handle(app, listModels, () => deps.models())
  handle(app, openApi, () => document)
  handle(app, doctor, async ({ user, body }) => {
    if (!user.isLocalOwner) throw new AppError('forbidden', 'Only the local owner runs the doctor: it sees every workspace.')
    return await deps.doctor(body)
  })
}
