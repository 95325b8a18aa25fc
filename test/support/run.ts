/**
 * Runs the compiled tests, one file after the other, each in a process of its own (what one loads must not change what
 * the next one sees), and ends with `N passed, N failed, N skipped`. Arguments that are parts of paths choose files;
 * without any, everything under test/ runs.
 */
import { fork } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { FileResult } from './run-file.js';

const compiled = dirname(dirname(fileURLToPath(import.meta.url)));
const runFile = join(compiled, 'support', 'run-file.js');

function testFiles(wanted: readonly string[]): string[] {
  return readdirSync(compiled, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.js'))
    .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
    .map((file) => join(compiled, file))
    .sort();
}

/** A file whose process ends before it says how it went counts as one failure. */
function runOne(file: string): Promise<FileResult> {
  return new Promise((resolve) => {
    const child = fork(runFile, [file], { stdio: 'inherit' });
    let result: FileResult | undefined;
    child.on('message', (message) => {
      result = message as FileResult;
    });
    child.on('exit', (code, signal) => {
      if (result === undefined) console.error(`${file} ended by ${signal ?? `exit code ${code ?? 0}`}`);
      resolve(result ?? { passed: 0, failed: 1, skipped: 0, failures: [] });
    });
  });
}

async function main(): Promise<number> {
  const files = testFiles(process.argv.slice(2));
  if (files.length === 0) {
    console.error(`no test file matches; they lie under ${relative(process.cwd(), compiled)}`);
    return 2;
  }
  const total = { passed: 0, failed: 0, skipped: 0 };
  const failing: string[] = [];
  for (const file of files) {
    console.log(`\n${relative(compiled, file)}`);
    const { passed, failed, skipped, failures } = await runOne(file);
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
    if (failed > 0) failing.push([relative(compiled, file), ...failures].join('\n'));
  }
  // Once more at the end: of a long run, often only the end is kept.
  if (failing.length > 0) console.log(`\nfailing:\n${failing.join('\n')}`);
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

process.exit(await main());
