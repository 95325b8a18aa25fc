/**
 * Runs the compiled tests, one file after the other in one process, and ends with `N passed, N failed, N skipped`.
 * Arguments that are paths or parts of paths choose files; without any, everything under test/ runs.
 */
import { readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import Mocha from 'mocha';

const compiled = dirname(dirname(fileURLToPath(import.meta.url)));

function testFiles(wanted: readonly string[]): string[] {
  return readdirSync(compiled, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.js'))
    .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
    .map((file) => join(compiled, file))
    .sort();
}

async function main(): Promise<number> {
  const files = testFiles(process.argv.slice(2));
  if (files.length === 0) {
    console.error(`no test file matches; they lie under ${relative(process.cwd(), compiled)}`);
    return 2;
  }
  const mocha = new Mocha({ timeout: 120_000, slow: 5_000 });
  for (const file of files) mocha.addFile(file);
  await mocha.loadFilesAsync();
  return await new Promise((resolve) => {
    const runner = mocha.run((failures) => {
      const stats = runner.stats;
      console.log(`${stats?.passes ?? 0} passed, ${failures} failed, ${stats?.pending ?? 0} skipped`);
      resolve(failures === 0 && (stats?.passes ?? 0) > 0 ? 0 : 1);
    });
  });
}

process.exit(await main());
