import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { projectRoot } from '../support/shared.js';

/** What knip finds unused, a line each, by the rules of unused.ts; empty when all is used. */
function unused(...options: string[]): string {
  const program = join(projectRoot, 'node_modules/knip/bin/knip.js');
  const rules = ['--config', 'test/tidy/unused.ts', '--no-progress', '--no-config-hints', '--reporter', 'compact'];
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...rules, ...options], {
    cwd: projectRoot,
    encoding: 'utf8',
  });
  assert.ok(status === 0 || status === 1, stderr);
  return stdout.trim();
}

describe('what is exported', () => {
  it('is imported by someone', () => {
    assert.equal(unused(), '');
  });

  it('is used by more than tests', () => {
    assert.equal(unused('--production', '--exclude', 'dependencies,files,unlisted,unresolved'), '');
  });
});
