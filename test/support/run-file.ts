/** Runs one compiled test file, or of it the tests whose titles contain a text, and tells the process that started this one how it went. */
import Mocha from 'mocha';

/** Counts of one test file. */
export interface FileResult {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Of every failure its full title and what was thrown. */
  readonly failures: readonly string[];
}

const mocha = new Mocha({ timeout: 120_000, slow: 5_000 });
mocha.addFile(process.argv[2] ?? '');
const [, , , title] = process.argv;
if (title !== undefined) mocha.fgrep(title);
await mocha.loadFilesAsync();
const failures: string[] = [];
const runner = mocha.run((failed) => {
  const { passes = 0, pending = 0 } = runner.stats ?? {};
  const result: FileResult = { passed: passes, failed, skipped: pending, failures };
  process.send?.(result, () => {
    // Whatever a test left open must not keep the run from ending.
    process.exit(failed === 0 ? 0 : 1);
  });
});
runner.on('fail', (test, error: Error) => {
  failures.push(`${test.fullTitle()}\n  ${error.stack ?? error.message}`);
});
