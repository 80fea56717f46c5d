import { ConfigError } from '../errors.ts'

/** Loads a part of the SDK, which is an optional peer: only those who use servers of tools install it. Throws `ConfigError` that says what to install. */
export async function loadSdk<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    if (!isMissing(error)) throw error
    throw new ConfigError('The package "@modelcontextprotocol/sdk" is not installed: run `npm install @modelcontextprotocol/sdk`', { cause: error })
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND' && error.message.includes('@modelcontextprotocol/sdk')
}
