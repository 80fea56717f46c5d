import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{packages/*,backend,cli,bench,web}/{src,test}/**/*.test.{ts,tsx}', 'scripts/**/*.test.ts', 'docs/**/*.test.ts'],
    globalSetup: ['backend/test/support/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 4,
  },
})
