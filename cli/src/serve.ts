import { runServer } from '@buildscale/backend/main'

/** Becomes the server until a signal ends it; exits with the server's code. The only door of the command line to the backend. */
export async function serve(): Promise<never> {
  await runServer()
  // Sockets that clients keep open must not keep the process.
  process.exit()
}
