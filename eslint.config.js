// Type-aware lint for every TypeScript file. The reasons behind the switches stand in docs/style.md.
import tseslint from 'typescript-eslint'

/** Named adapters that may narrow foreign data with `as`: each holds the casts of one border, so that no other file needs any. */
const CAST_ADAPTERS = [
  'backend/src/http/handle.ts', // endpoint schema -> typed handler
  'backend/src/services/chat/rig-tool.ts', // tool list -> wrapper classes
  'packages/sdk/src/client.ts', // parsed response -> endpoint type
]

const CAST_RULE = {
  selector: 'TSAsExpression:not([typeAnnotation.typeName.name="const"])',
  message: 'Narrow with a check or a schema; casts live in the adapters listed in eslint.config.js.',
}
const SYNTAX_RULES = [
  { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
  { selector: 'TSEnumDeclaration', message: 'Use an `as const` list and derive the type from it.' },
]

/** File names are kebab-case, so that a listing reads as documentation. */
const kebabCase = {
  create: (context) => ({
    Program(node) {
      const name = context.filename.split('/').at(-1) ?? ''
      if (!/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9-]+)*$/.test(name)) {
        context.report({ node, message: `Name the file in kebab-case: ${name}` })
      }
    },
  }),
}

export default tseslint.config(
  { ignores: ['**/node_modules/**', '**/dist/**', '**/*.js', '**/*.mjs', 'bench/peers/**'] },
  {
    files: ['**/*.ts', '**/*.tsx'],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { project: ['./tsconfig.json', './web/tsconfig.json'], tsconfigRootDir: import.meta.dirname },
    },
    plugins: { '@typescript-eslint': tseslint.plugin, local: { rules: { 'kebab-case': kebabCase } } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false }],
      // `import { type X }` alone would still load the module at run time; `import type` does not.
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'all' }],
      'max-params': ['error', 3],
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'no-console': 'error',
      'no-restricted-syntax': ['error', ...SYNTAX_RULES, CAST_RULE],
      'local/kebab-case': 'error',
    },
  },
  // `createAgent(conn, workspaceId, userId, session, context)` is part of the specification.
  { files: ['backend/src/services/chat/rig-service.ts'], rules: { 'max-params': ['error', 5] } },
  { files: CAST_ADAPTERS, rules: { 'no-restricted-syntax': ['error', ...SYNTAX_RULES] } },
  {
    files: ['**/*.test.ts', '**/*.test.tsx', '**/test/**', '**/testing/**', '**/__fixtures__/**', '**/*.config.ts'],
    rules: {
      'max-lines': 'off',
      'max-lines-per-function': 'off',
      'no-restricted-syntax': 'off',
    },
  },
  { files: ['backend/src/main.ts', 'cli/src/**', 'bench/src/**', 'scripts/**', 'packages/*/src/main.ts', 'packages/*/examples/**'], rules: { 'no-console': 'off' } },
)
