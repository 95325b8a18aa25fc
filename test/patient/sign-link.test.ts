import assert from 'node:assert/strict';
import { join } from 'node:path';

import { salus } from '../support/command.js';
import { ContractWorld, physician, random } from '../support/contract-world.js';
import { registerPatient } from '../support/patients.js';
import { scratchFolder } from '../support/scratch.js';

describe('salus sign-link', () => {
  const folder = scratchFolder();
  after(() => {
    folder.remove();
  });
  const sign = (...args: string[]): ReturnType<typeof salus> =>
    salus(folder.path, ['sign-link', ...args, '--key', join(folder.path, 'phone.jwk')]);

  it('makes the statement that the contract takes, with a key and a link of its own', async () => {
    const world = await ContractWorld.founded();
    const [ours, theirs] = [await registerPatient(world), await registerPatient(world, 'northside')];
    const sides = ['northside=patient-1', 'stmary=patient-1'];
    const first = await sign(...sides);
    assert.equal(first.code, 0, first.err);
    const linkId = /^link ([0-9a-f]{64})$/m.exec(first.err)?.[1] ?? '';
    const { kid, x, y } = JSON.parse(/^\{.*\}$/m.exec(first.err)?.[0] ?? '') as Record<string, string>;
    const jwk = { kty: 'EC', crv: 'P-256', x, y, kid };
    for (const [member, pid] of [
      ['stmary', ours],
      ['northside', theirs],
    ] as const) {
      const request = { pid, jwk, holder: 'patient', state: 'active', salt: random() };
      await world.submit(member, 'patient:key', { request, actor: physician });
    }
    const link = { linkId, pid: ours, other: { pid: theirs, custodian: 'northside' }, salt: random() };
    const request = { ...link, statement: first.out.trim() };
    await world.submit('stmary', 'patient:link', { request, actor: physician });
    for (const [version, name, more] of [
      ['2', 'patient:confirm', []],
      ['3', 'patient:unlink', ['--not-same']],
    ] as const) {
      const { out } = await sign(...sides, '--link', linkId, '--link-version', version, ...more);
      const change = { linkId, side: 'northside', statement: out.trim(), salt: random() };
      await world.submit('stmary', name, { request: change, actor: physician });
    }
  }).timeout(60_000);

  it('ends with 2 when used wrongly', async () => {
    for (const wrong of [['stmary=a'], ['stmary=a', 'stmary=b'], ['stmary', 'northside=b']]) {
      assert.equal((await sign(...wrong)).code, 2, wrong.join(' '));
    }
    assert.equal((await sign('stmary=a', 'northside=b', '--link', 'x')).code, 2);
    assert.equal((await sign('stmary=a', 'northside=b', '--link-version', '0')).code, 2);
  }).timeout(60_000);
});
