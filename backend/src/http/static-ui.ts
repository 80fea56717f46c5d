import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'

/** The pages of the UI that people open or reload: all of them are the one HTML file. */
const PAGES = ['/', '/sign-in'] as const

/** Serves the built UI in `root`. */
export function installStaticUi(app: FastifyInstance, root: string): void {
  app.register(fastifyStatic, { root, index: false, redirect: false, dotfiles: 'deny' })
  for (const page of PAGES) app.get(page, (_request, reply) => reply.sendFile('index.html'))
}
