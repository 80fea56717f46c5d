import { expect, it } from 'vitest'
import { contentHeaders } from './content-headers.ts'

it('shows text and pictures in place', () => {
  expect(contentHeaders({ name: 'a.txt', mime: 'text/plain; charset=utf-8' })['content-disposition']).toBe("inline; filename*=UTF-8''a.txt")
  expect(contentHeaders({ name: 'a.png', mime: 'image/png' })['content-disposition']).toMatch(/^inline/)
})

it.each(['text/html', 'image/svg+xml', 'application/xhtml+xml', 'text/xml', 'text/javascript', 'application/octet-stream'])('offers %s as a download in a sandbox', (mime) => {
  const headers = contentHeaders({ name: 'page', mime })
  expect(headers['content-disposition']).toMatch(/^attachment/)
  expect(headers['content-security-policy']).toMatch(/^sandbox;/)
})

it('encodes names, so that no name can add a header or a parameter', () => {
  expect(contentHeaders({ name: `a"; x='ü'\r\n(1)*.txt`, mime: 'text/plain' })['content-disposition']).toBe(
    "inline; filename*=UTF-8''a%22%3B%20x%3D%27%C3%BC%27%0D%0A%281%29%2A.txt",
  )
})
