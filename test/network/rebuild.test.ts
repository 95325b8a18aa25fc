/** A `salus rebuild` that is killed: what it had derived is in clear, and no erasure would reach it. */
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { found, shapesOf } from '../support/bytes-search.js';
import { salus } from '../support/command.js';
import { networkOfSuite } from '../support/network.js';
import { projectRoot } from '../support/shared.js';
import { glucose, patient } from '../story/people.js';

const CANARY = 'WRYNECKQX';
/** Enough that a kill comes in the middle. */
const [BUNDLES, ENTRIES] = [4, 250];
/** After the first files are open, ms: from hardly begun to well under way. */
const KILLED_AFTER = [0, 50, 300];

describe('a rebuild that is killed', function () {
  this.timeout(180_000);
  // What a process has open is read from /proc.
  if (process.platform !== 'linux') return;
  const network = networkOfSuite();
  const dataDir = (): string => join(network.stateDir, 'members', 'stmary', 'data');

  before(async () => {
    const token = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    const { body } = await network.ask('stmary', 'Patient', { token, body: patient });
    const remarked = { ...glucose(String(body.id), 95), note: [{ text: CANARY }] };
    const entry = Array.from({ length: ENTRIES }, () => ({
      resource: remarked,
      request: { method: 'POST', url: 'Observation' },
    }));
    const bundle = { resourceType: 'Bundle', type: 'transaction', entry };
    for (let sent = 0; sent < BUNDLES; sent += 1) {
      const answer = await network.ask('stmary', '', { token, body: bundle });
      assert.equal(answer.status, 200, answer.text);
    }
  });

  /** Files that a process has open, by the names they had. */
  function opened(pid: number): string[] {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).flatMap((each) => {
      try {
        return [readlinkSync(join(folder, each))];
      } catch {
        return [];
      }
    });
  }

  /** Kills it so many milliseconds after it has begun to derive. */
  async function killed(after: number): Promise<void> {
    const cli = join(projectRoot, 'network', 'dist', 'cli.js');
    const env = { ...process.env, SALUS_STATE: network.stateDir };
    const child = spawn(process.execPath, [cli, 'rebuild', '--member', 'stmary'], { env, stdio: 'ignore' });
    const ended = once(child, 'exit');
    while (!opened(child.pid!).some((name) => name.includes('again.db'))) {
      assert.equal(child.exitCode, null, 'it ended before it was killed');
      await sleep(2);
    }
    await sleep(after);
    assert.equal(child.exitCode, null, 'it ended before it was killed');
    child.kill('SIGKILL');
    await ended;
  }

  it('leaves nothing of the record in any file but the projection in use', async () => {
    for (const after of KILLED_AFTER) {
      await killed(after);
      const files = new Set(found(dataDir(), shapesOf(CANARY)).map(({ file }) => file));
      assert.ok(files.size > 0);
      assert.deepEqual(
        [...files].filter((file) => !/^projection-gateway0\.db(-wal)?$/.test(file)),
        [],
      );
    }
  });

  it('does not keep the next one from its work, which removes what an earlier version left', async () => {
    const left = join(dataDir(), 'rebuild-older');
    mkdirSync(left);
    writeFileSync(join(left, 'again.db'), CANARY);
    const { code, out, err } = await salus(network.stateDir, ['rebuild', '--member', 'stmary']);
    assert.equal(code, 0, out + err);
    assert.deepEqual(
      readdirSync(dataDir()).filter((name) => name.startsWith('rebuild')),
      [],
    );
  });
});
