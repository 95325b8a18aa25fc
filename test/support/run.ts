/**
 * Runs the compiled tests, each file in a process of its own (what one loads must not change what the next one sees),
 * two at a time, and ends with `N passed, N failed, N skipped`. Arguments that are parts of paths choose files; without
 * any, everything under test/ runs; `--networks` leaves out what runs on no network. A file named `*.alone.test.ts` runs
 * while nothing else does.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { engineName } from './engine.js';
import { needsNetwork } from './networks.js';
import type { FileResult } from './run-file.js';

const compiled = dirname(dirname(fileURLToPath(import.meta.url)));
const runFile = join(compiled, 'support', 'run-file.js');

/** Half of the time a test waits for something. Fabric's own nodes fill a small machine by themselves. */
const AT_A_TIME = engineName === 'fabric' ? 1 : 2;

/** How long to wait for the rest of what an ended process printed. */
const LAST_WORDS_MS = 1_000;

interface FileRun extends FileResult {
  readonly file: string;
}

function testFiles(args: readonly string[]): string[] {
  const wanted = args.filter((arg) => arg !== '--networks');
  const found = readdirSync(compiled, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.js'))
    .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
    .sort();
  return args.includes('--networks') ? found.filter((file) => needsNetwork(join(compiled, file))) : found;
}

const isAlone = (file: string): boolean => file.endsWith('.alone.test.js');

/** Runs one file; a process that ends before it says how it went counts as one failure. */
async function runOne(file: string, isOnly: boolean): Promise<FileRun> {
  // What one file says stays together; only where there is no other it is shown while it runs.
  if (isOnly) console.log(`\n${file}`);
  const child = fork(runFile, [join(compiled, file)], { silent: !isOnly });
  let result: FileResult | undefined;
  child.on('message', (message) => {
    result = message as FileResult;
  });
  const said: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part: Buffer) => said.push(part));
  const end = await ended(child);
  if (!isOnly) console.log(`\n${file}\n${Buffer.concat(said).toString().trimEnd()}`);
  if (result === undefined) console.error(`${file} ended by ${end}`);
  return { file, ...(result ?? { passed: 0, failed: 1, skipped: 0, failures: [] }) };
}

/** Signal or exit code by which it ended, once what it printed has been read. */
async function ended(child: ChildProcess): Promise<string> {
  const closed = once(child, 'close');
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  // A process that it left behind may hold its output open for ever.
  await Promise.race([closed, sleep(LAST_WORDS_MS)]);
  return signal ?? `exit code ${code ?? 0}`;
}

async function runAll(files: readonly string[], atATime: number, isOnly: boolean): Promise<FileRun[]> {
  const waiting = [...files];
  const runs: FileRun[] = [];
  const lane = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      runs.push(await runOne(file, isOnly));
    }
  };
  await Promise.all(Array.from({ length: atATime }, lane));
  return runs;
}

async function main(): Promise<number> {
  const files = testFiles(process.argv.slice(2));
  if (files.length === 0) {
    console.error(`no test file matches; they lie under ${relative(process.cwd(), compiled)}`);
    return 2;
  }
  const alone = files.filter(isAlone);
  const together = files.filter((file) => !isAlone(file));
  const isOnly = files.length === 1;
  const runs = [...(await runAll(together, AT_A_TIME, isOnly)), ...(await runAll(alone, 1, isOnly))];
  const sum = (of: 'passed' | 'failed' | 'skipped'): number => runs.reduce((total, run) => total + run[of], 0);
  // Once more at the end: of a long run, often only the end is kept.
  const failing = runs.filter(({ failed }) => failed > 0).map(({ file, failures }) => [file, ...failures].join('\n'));
  if (failing.length > 0) console.log(`\nfailing:\n${failing.join('\n')}`);
  const [passed, failed, skipped] = [sum('passed'), sum('failed'), sum('skipped')];
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

process.exit(await main());
