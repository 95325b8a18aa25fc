import type { KnipConfig } from 'knip';

/** Of the tests, what the runner, npm and other processes start; of the sources, package.json names the entries. */
const started = [
  ...['**/*.test.ts', 'support/run.ts', 'support/campaign.ts', 'support/programs/*.ts', 'support/chaincode/main.ts'],
  ...['bench/main.ts', 'bench/hold.ts', 'bench/bare-express.ts', 'bench/bare-node.ts', 'faults/run/main.ts'],
];

/** What no import names, and why it stands all the same. */
const excepted = {
  /** What outsiders may know: programs of theirs import it. */
  'chaincode/src/**/api.ts': ['exports', 'types'],
  'chaincode/src/consent/decide.ts': ['exports', 'types'],
  /** Generated code calls them. */
  'gateway/src/projection/values/converters.ts': ['exports'],
  'gateway/src/projection/values/reference.ts': ['exports'],
  /** The command line finds the gateway's verbs at run time. */
  'gateway/src/commands/index.ts': ['exports'],
} satisfies Record<string, ('exports' | 'types')[]>;

/** In production alone a symbol counts as used where its own file does: limits are exported for the tests. */
export default function config({ production = false }: { readonly production?: boolean }): KnipConfig {
  const project = ['src/**/*.ts!'];
  return {
    workspaces: {
      '.': { entry: [], project: [] },
      chaincode: { project },
      gateway: { project },
      network: { project },
      // axe-core and fhirclient are served to the browser as files.
      test: { entry: started, project: ['**/*.ts'], ignoreDependencies: ['axe-core', 'fhirclient'] },
    },
    ignoreIssues: excepted,
    ignoreExportsUsedInFile: production || { interface: true, type: true },
    includeEntryExports: true,
    include: ['exports', 'types', 'files', 'enumMembers', 'dependencies', 'unlisted', 'unresolved'],
  };
}
