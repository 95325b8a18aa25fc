import js from '@eslint/js';
import importX from 'eslint-plugin-import-x';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Files within a workspace may import these other workspaces' sources; everything else is refused. */
const arrows = [
  { target: './chaincode', from: ['./gateway', './network', './test'] },
  { target: './network/src', from: ['./chaincode', './gateway', './test'] },
  { target: './gateway/src', from: ['./test'] },
];

/** Two endorsers produce equal bytes, so nothing that differs between them exists there. */
const nondeterminism = [
  ...['exp', 'log', 'log2', 'log10', 'log1p', 'expm1', 'pow', 'random', 'sin', 'cos', 'tan'].map((property) => ({
    object: 'Math',
    property,
    message: 'differs between endorsers: not in chaincode',
  })),
  { object: 'Date', property: 'now', message: 'time is ctx.now or ctx.clock()' },
];
const absentGlobals = [
  'Intl',
  'process',
  'performance',
  'fetch',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'crypto',
].map((name) => ({ name, message: 'does not exist in chaincode' }));
const absentModules = {
  patterns: [{ regex: '^node:(?!crypto$)', message: 'of Node, a chaincode has node:crypto alone' }],
  paths: [
    {
      name: 'node:crypto',
      importNames: [
        'randomBytes',
        'randomFill',
        'randomFillSync',
        'randomInt',
        'randomUUID',
        'getRandomValues',
        'sign',
      ],
      message: 'differs between endorsers: not in chaincode',
    },
  ],
};
const wallClock = {
  selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
  message: 'time is ctx.now or ctx.clock()',
};

export default defineConfig(
  { ignores: ['**/dist/**', '**/node_modules/**', '.salus/**', '.tmp/**'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked.map((config) => ({ ...config, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'import-x': importX },
    rules: {
      complexity: ['error', 10],
      'max-depth': ['error', 4],
      'import-x/no-restricted-paths': ['error', { zones: arrows }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true, allowEmpty: false }],
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      'no-restricted-globals': ['error', 'event', 'name'],
    },
  },
  {
    files: ['chaincode/src/**/*.ts'],
    // The host process is no chaincode: it reads its address from the environment and serves.
    ignores: ['chaincode/src/main.ts', 'chaincode/src/build/**'],
    rules: {
      'no-restricted-properties': ['error', ...nondeterminism],
      'no-restricted-globals': ['error', ...absentGlobals],
      'no-restricted-imports': ['error', absentModules],
      'no-restricted-syntax': ['error', wallClock],
    },
  },
  {
    files: ['gateway/src/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^@salus/chaincode(?!/[a-z]+/api$|/consent/decide$)',
              message: 'of the chaincode only <domain>/api and consent/decide may be used',
            },
          ],
        },
      ],
    },
  },
  {
    // Tests of the FHIR and EPCIS interfaces look at JSON answers of many types without a type for each.
    files: ['test/fhir/**/*.ts', 'test/support/fhir-server.ts', 'test/supply/epcis*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
);
