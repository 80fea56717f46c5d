/**
 * Who may import whom. One row per zone: a path prefix (or a file) and the zones that its files may import, besides themselves.
 * The first row whose pattern matches a file is its zone, so narrow patterns stand before wide ones. `docs/architecture.md` shows this table.
 */
export interface Zone {
  readonly name: string
  /** Matches paths relative to the repository root, with `/` separators. */
  readonly pattern: RegExp
  readonly mayImport: readonly string[] | 'everything'
}

const RIG_INNER = ['rig/completion', 'rig/errors']

export const ZONES: readonly Zone[] = [
  // The runtime knows nothing of the rest; within it, `agent` never sees a provider.
  { name: 'rig/errors', pattern: /^packages\/rig\/src\/errors\.ts$/, mayImport: ['rig/completion'] },
  { name: 'rig/completion', pattern: /^packages\/rig\/src\/completion\//, mayImport: ['rig/errors'] },
  { name: 'rig/http', pattern: /^packages\/rig\/src\/http\//, mayImport: RIG_INNER },
  { name: 'rig/tool', pattern: /^packages\/rig\/src\/tool\//, mayImport: RIG_INNER },
  { name: 'rig/agent', pattern: /^packages\/rig\/src\/agent\//, mayImport: [...RIG_INNER, 'rig/tool'] },
  { name: 'rig/embeddings', pattern: /^packages\/rig\/src\/embeddings\//, mayImport: RIG_INNER },
  { name: 'rig/vector-store', pattern: /^packages\/rig\/src\/vector-store\//, mayImport: [...RIG_INNER, 'rig/tool', 'rig/embeddings'] },
  { name: 'rig/memory', pattern: /^packages\/rig\/src\/memory\//, mayImport: [...RIG_INNER, 'rig/agent'] },
  { name: 'rig/extractor', pattern: /^packages\/rig\/src\/extractor\//, mayImport: [...RIG_INNER, 'rig/tool', 'rig/agent'] },
  { name: 'rig/mcp', pattern: /^packages\/rig\/src\/mcp\//, mayImport: [...RIG_INNER, 'rig/tool'] },
  { name: 'rig/telemetry', pattern: /^packages\/rig\/src\/telemetry\//, mayImport: [...RIG_INNER, 'rig/tool', 'rig/agent'] },
  {
    name: 'rig/provider-client',
    pattern: /^packages\/rig\/src\/providers\/[^/]+\/client\.ts$/,
    mayImport: [...RIG_INNER, 'rig/http', 'rig/providers', 'rig/agent', 'rig/tool', 'rig/extractor', 'rig/embeddings'],
  },
  { name: 'rig/providers', pattern: /^packages\/rig\/src\/providers\//, mayImport: [...RIG_INNER, 'rig/http', 'rig/embeddings', 'rig/provider-client'] },
  { name: 'rig/testing', pattern: /^packages\/rig\/src\/testing\//, mayImport: [...RIG_INNER, 'rig/tool', 'rig/agent', 'rig/http'] },
  {
    name: 'rig',
    pattern: /^packages\/rig\//,
    mayImport: [
      ...RIG_INNER, 'rig/http', 'rig/tool', 'rig/agent', 'rig/embeddings', 'rig/vector-store', 'rig/memory', 'rig/extractor', 'rig/mcp', 'rig/telemetry',
      'rig/providers', 'rig/provider-client', 'rig/testing',
    ],
  },

  { name: 'protocol', pattern: /^packages\/protocol\//, mayImport: [] },
  { name: 'model-sim', pattern: /^packages\/model-sim\//, mayImport: [] },
  { name: 'sdk', pattern: /^packages\/sdk\//, mayImport: ['protocol'] },
  { name: 'web', pattern: /^web\/src\//, mayImport: ['sdk', 'protocol'] },
  { name: 'cli/serve', pattern: /^cli\/src\/serve\.ts$/, mayImport: ['sdk', 'protocol', 'cli', 'backend'] },
  { name: 'cli', pattern: /^cli\//, mayImport: ['sdk', 'protocol', 'cli/serve'] },

  { name: 'backend/test', pattern: /^backend\/(test\/|src\/.*\.test\.ts$)/, mayImport: 'everything' },
  { name: 'backend/errors', pattern: /^backend\/src\/errors\.ts$/, mayImport: ['protocol'] },
  { name: 'backend/db', pattern: /^backend\/src\/db\//, mayImport: ['backend/errors'] },
  { name: 'backend/repositories', pattern: /^backend\/src\/repositories\//, mayImport: ['backend/db', 'backend/errors', 'protocol'] },
  { name: 'backend/mirror', pattern: /^backend\/src\/mirror\//, mayImport: ['backend/db', 'backend/errors', 'backend/repositories', 'protocol'] },
  {
    name: 'backend/services/chat/rig',
    pattern: /^backend\/src\/services\/chat\/rig-[^/]*\.ts$/,
    mayImport: ['rig', 'backend/services/chat', 'backend/services', 'backend/repositories', 'backend/tools', 'backend/db', 'backend/errors', 'protocol'],
  },
  {
    name: 'backend/services/chat',
    pattern: /^backend\/src\/services\/chat\//,
    mayImport: ['backend/services', 'backend/repositories', 'backend/mirror', 'backend/db', 'backend/errors', 'protocol'],
  },
  { name: 'backend/services', pattern: /^backend\/src\/services\//, mayImport: ['backend/repositories', 'backend/mirror', 'backend/db', 'backend/errors', 'protocol'] },
  { name: 'backend/tools', pattern: /^backend\/src\/tools\//, mayImport: ['backend/services', 'backend/db', 'backend/errors', 'protocol'] },
  { name: 'backend/http', pattern: /^backend\/src\/http\//, mayImport: ['backend/errors', 'protocol'] },
  { name: 'backend/routes', pattern: /^backend\/src\/routes\//, mayImport: ['backend/http', 'backend/services', 'backend/services/chat', 'backend/tools', 'backend/errors', 'protocol'] },
  { name: 'backend/workers', pattern: /^backend\/src\/workers\//, mayImport: ['backend/services', 'backend/services/chat', 'backend/repositories', 'backend/mirror', 'backend/db', 'backend/errors'] },
  { name: 'backend', pattern: /^backend\/src\//, mayImport: 'everything' },
  { name: 'bench', pattern: /^bench\//, mayImport: 'everything' },
  { name: 'scripts', pattern: /^(scripts|docs)\//, mayImport: 'everything' },
  { name: 'config', pattern: /^[^/]+\.(ts|js)$|^web\/(vite\.config\.ts|test\/)/, mayImport: 'everything' },
]
