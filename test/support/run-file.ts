/** Runs one compiled test file and tells the process that started this one how it went. */
import Mocha from 'mocha';

/** Counts of one test file. */
export interface FileResult {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const mocha = new Mocha({ timeout: 120_000, slow: 5_000 });
mocha.addFile(process.argv[2] ?? '');
await mocha.loadFilesAsync();
const runner = mocha.run((failed) => {
  const result: FileResult = { passed: runner.stats?.passes ?? 0, failed, skipped: runner.stats?.pending ?? 0 };
  process.send?.(result, () => {
    // Whatever a test left open must not keep the run from ending.
    process.exit(failed === 0 ? 0 : 1);
  });
});
