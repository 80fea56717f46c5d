import { TestServer } from './test-server.ts'

/** Named in `vitest.config.ts`: runs once before all test files; its result runs after the last one, whatever failed. */
export async function setup(): Promise<() => Promise<void>> {
  const server = await TestServer.listen()
  return () => server.close()
}
