import { strict as assert } from 'node:assert';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { salus } from '../support/command.js';
import { freePortBase } from '../support/free-ports.js';
import { projectRoot } from '../support/shared.js';
import { topologyAt } from '../support/topology-file.js';

/** The shell commands of the README's walk, in order. */
function walk(): string[] {
  const text = readFileSync(join(projectRoot, 'README.md'), 'utf8');
  const section = text.slice(text.indexOf('## Five minutes'), text.indexOf('## Further'));
  return [...section.matchAll(/^```sh\n(.*?)^```/gms)].map((match) => match[1] ?? '');
}

describe('the walk of the README, as a newcomer types it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'salus-readme-'));
  const stateDir = join(folder, 'state');
  let topology: string;
  let printed: string[];

  before(async () => {
    const portBase = await freePortBase();
    topology = topologyAt(folder, portBase);
    const marker = '=====';
    const script = walk()
      .join(`\necho; echo ${marker}\n`)
      .replaceAll(/127\.0\.0\.1:810(\d)/g, (_, member: string) => `127.0.0.1:${portBase + Number(member)}`);
    const env = { ...process.env, SALUS_STATE: stateDir, SALUS_TOPOLOGY: topology };
    const output = await new Promise<string>((resolve, reject) => {
      execFile('bash', ['-c', script], { cwd: projectRoot, env }, (error, out, err) => {
        if (error === null) resolve(out);
        else reject(new Error(`${error.message}\n${out}\n${err}`));
      });
    });
    printed = output.split(marker);
  });

  after(async () => {
    await salus(stateDir, ['down'], topology);
    rmSync(folder, { recursive: true, force: true });
  });

  it('brings seven members up', () => {
    assert.match(printed[0] ?? '', /tally/);
    assert.match(printed[0] ?? '', /^a token to try at stmary, .*\n[\w-]+\.[\w-]+\.[\w-]+$/m);
  });

  it('records a result, committed, with its decimal as sent', () => {
    const answer = printed[1] ?? '';
    assert.match(answer, /^HTTP\/1\.1 201 Created/m);
    for (const header of ['ETag: W/"1"', 'X-Tx-Id: [0-9a-f]{64}', 'X-Block: [0-9]+']) {
      assert.match(answer, new RegExp(`^${header}`, 'm'));
    }
    assert.match(answer, /"value":95\.10/);
  });

  it('refuses the other hospital, permits it the result, and refuses it again', () => {
    assert.equal(printed[2]?.trim(), '404');
    const searchset = JSON.parse(printed[3] ?? '') as { entry: { resource: { meta?: { source?: string } } }[] };
    assert.equal(searchset.entry.length, 2, 'the result, and the note that the answer may be incomplete');
    assert.match(searchset.entry[0]?.resource.meta?.source ?? '', /stmary/);
    assert.match(printed[3] ?? '', /may be incomplete/);
    assert.deepEqual((printed[4] ?? '').trim().split('\n').slice(0, 2), ['200', '404']);
  });

  it('lists for the patient who asked, when, why, and what was decided', () => {
    const list = JSON.parse((printed[4] ?? '').trim().split('\n')[2] ?? '') as {
      entry: { resource: { outcomeDesc: string; recorded: string } }[];
    };
    const decisions = list.entry.map(({ resource }) => resource.outcomeDesc);
    assert.ok(decisions.includes('permit') && decisions.includes('deny'));
    assert.match(JSON.stringify(list), /dr-baker.*TREAT/);
  });
});
