import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Child, startChild } from '@salus/network/commands/children';

/** Longer than a process takes to load, shorter than what the scripts below take in all. */
const PATIENCE_MS = 5_000;

describe('a process that is waited for', () => {
  const folder = mkdtempSync(join(tmpdir(), 'salus-children-'));
  const running: Child[] = [];
  const started = (script: string): { child: Child; heard: string[] } => {
    const file = join(folder, `${running.length}.mjs`);
    writeFileSync(file, script);
    const heard: string[] = [];
    const child = startChild({
      name: 'gateways',
      script: file,
      args: [],
      env: {},
      logFile: join(folder, 'log', 'child.log'),
      readyTimeoutMs: PATIENCE_MS,
      progress: (line) => heard.push(line),
    });
    running.push(child);
    return { child, heard };
  };
  after(async () => {
    await Promise.all(running.map((child) => child.stop()));
    rmSync(folder, { recursive: true, force: true });
  });

  it('has as long as it takes while it says that it gets further', async () => {
    const { child, heard } = started(`
      let height = 0;
      setInterval(() => {
        height += 1;
        console.log(JSON.stringify(height < 5 ? { ready: false, member: 'hill', height, of: 5 } : { ready: true }));
      }, ${PATIENCE_MS / 3});`);
    await child.ready;
    assert.deepEqual(heard.slice(0, 2), ['gateways: hill has 1 of 5 blocks', 'gateways: hill has 2 of 5 blocks']);
    assert.equal(heard.length, 4);
  }).timeout(60_000);

  it('is given up when it says nothing, or something else', async () => {
    const { child } = started(`setInterval(() => console.log('still here'), ${PATIENCE_MS / 10});`);
    await assert.rejects(child.ready, /gateways did not start \(neither ready nor further in 5 s\); its log says why/);
  }).timeout(60_000);
});
