/**
 * The judge of a run, a program of its own that knows the history and the network, and nothing of who injected what:
 * `gather STATE HISTORY EVIDENCE` asks the running network, `words STATE EVIDENCE` searches what it left when it has
 * stopped, `verdict HISTORY EVIDENCE` prints the table of faults and what is wrong. Exit codes: 0 nothing is wrong, 1
 * something is, 2 wrong use.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Evidence } from './evidence.js';
import { readHistory } from './history.js';
import { report } from './report.js';

type Step = (files: readonly string[]) => Promise<number> | number;

const STEPS: Readonly<Record<string, { readonly files: number; readonly run: Step }>> = {
  gather: {
    files: 3,
    run: async ([state = '', history = '', evidence = '']) => {
      // Loaded only when asked for: the verdict needs no client of anything.
      const [{ Members }, { evidenceOf }] = await Promise.all([import('../members.js'), import('./evidence.js')]);
      write(evidence, await evidenceOf(new Members(state), readHistory(history)));
      return 0;
    },
  },
  words: {
    files: 2,
    run: async ([state = '', evidence = '']) => {
      const { escaped } = await import('./canaries.js');
      write(evidence, { ...read(evidence), escaped: escaped(state) });
      return 0;
    },
  },
  verdict: { files: 2, run: ([history = '', evidence = '']) => report(readHistory(history), read(evidence)) },
};

function read(file: string): Evidence {
  return JSON.parse(readFileSync(file, 'utf8')) as Evidence;
}

function write(file: string, evidence: Evidence): void {
  writeFileSync(file, JSON.stringify(evidence), { mode: 0o600 });
}

const [verb = '', ...files] = process.argv.slice(2);
const step = STEPS[verb];
if (step?.files !== files.length) {
  console.error('usage: gather STATE HISTORY EVIDENCE | words STATE EVIDENCE | verdict HISTORY EVIDENCE');
  process.exit(2);
}
process.exit(await step.run(files));
