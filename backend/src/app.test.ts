import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { createHttpApp } from '../test/support/http-app.ts'

function builtUi(): string {
  const folder = mkdtempSync(join(tmpdir(), 'buildscale-ui-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>BuildScale</title>')
  writeFileSync(join(folder, 'app.js'), 'export {}')
  return folder
}

it('serves the UI at its pages, under a policy that allows no inline script', async () => {
  await using http = await createHttpApp({ deps: { webRoot: builtUi() } })
  for (const url of ['/', '/sign-in', '/?a=b']) {
    const page = await http.app.inject({ url })
    expect([page.statusCode, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
    expect(page.headers['content-security-policy']).toMatch(/^default-src 'self'; /)
    expect(page.headers['content-security-policy']).not.toContain('unsafe')
  }
  expect((await http.app.inject({ url: '/app.js' })).headers['content-type']).toMatch(/javascript/)
})

it('serves nothing from outside the UI, and JSON for what is not there', async () => {
  await using http = await createHttpApp({ deps: { webRoot: builtUi() } })
  for (const url of ['/missing.js', '/../package.json', '/%2e%2e/package.json', '/..%2fpackage.json', '/.env', '/api/v1/nothing', '/api']) {
    const response = await http.app.inject({ url })
    expect([url, response.statusCode, response.json<{ error: { code: string } }>().error.code]).toEqual([url, 404, 'not_found'])
  }
})

it('works without a UI', async () => {
  await using http = await createHttpApp()
  expect((await http.app.inject({ url: '/' })).statusCode).toBe(404)
  expect((await http.anonymous({ path: '/openapi.json' })).json()).toMatchObject({ openapi: '3.1.1' })
})

it('closes within seconds although a client is still uploading', async () => {
  await using http = await createHttpApp()
  await http.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = http.app.server.address() as AddressInfo
  const path = `/api/v1/workspaces/${http.owner.workspaceId}/files/content?path=/slow`
  const arrived = once(http.app.server, 'request')
  const upload = request({ port, method: 'PUT', path, headers: { authorization: `Bearer ${http.owner.token}`, 'content-length': '1000' } })
  const cut = once(upload, 'error')
  upload.write('some')
  await arrived
  const started = performance.now()
  await http.app.close()
  expect(performance.now() - started).toBeLessThan(5_000)
  // Rejects, had the upload been answered instead.
  expect(String((await cut)[0])).toContain('socket hang up')
})

it('tells a client on an open connection that it is closing', async () => {
  await using http = await createHttpApp()
  await http.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = http.app.server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  // Half a request keeps the connection from being idle; the rest comes while the server closes.
  socket.write('GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n')
  await new Promise((resolve) => setTimeout(resolve, 50))
  const closed = http.app.close()
  socket.write('\r\n')
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  expect(text).toMatch(/^HTTP\/1\.1 503/)
  expect(text).toContain('"code":"unavailable"')
  await closed
})
