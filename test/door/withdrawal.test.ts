import assert from 'node:assert/strict';

import type { EndAskedBy } from '@salus/gateway/consent/asked-end';
import { hearWithdrawal } from '@salus/gateway/door/withdrawal';
import { KeyStore } from '@salus/gateway/keys/key-store';
import { Memory } from '@salus/gateway/keys/memory';

import { scratchFolder } from '../support/scratch.js';

describe('what a door makes of a withdrawal it is told of', () => {
  let folder: ReturnType<typeof scratchFolder>;
  let keys: KeyStore;
  let memory: Memory;

  let recorded: EndAskedBy[];
  let failures: unknown[];

  /** At a door where version 3 of the consent c-1 is the newest; true = taken for a withdrawal. */
  async function hear(body: object, teller = 'northside', recordEnd = record): Promise<boolean> {
    const directory = {
      roles: (member: string) => (['northside', 'mercy'].includes(member) ? ['hospital'] : ['manufacturer']),
    };
    const consentVersion = (id: string): number | undefined => (id === 'c-1' ? 3 : undefined);
    const keeps = (member: string): boolean => member === 'northside';
    const heard = await hearWithdrawal(
      {
        ...{ memory, directory, consentVersion, keeps, recordEnd, now: () => '2026-01-01T00:00:00Z' },
        onUnrecorded: (error) => failures.push(error),
      },
      teller,
      JSON.stringify(body),
    );
    return heard !== undefined;
  }

  const record = (end: EndAskedBy): Promise<undefined> => {
    recorded.push(end);
    return Promise.resolve(undefined);
  };

  beforeEach(() => {
    folder = scratchFolder();
    keys = new KeyStore(folder.path);
    memory = new Memory(keys);
    recorded = [];
    failures = [];
  });
  afterEach(() => {
    keys.close();
    folder.remove();
  });

  it('obeys a hospital that ends the newest version, whatever was said of an older one', async () => {
    memory.refuse('consent/c-1', '2', '2026-01-01T00:00:00Z');
    assert.equal(await hear({ consentId: 'c-1', version: 4 }), true);
    assert.equal(memory.refusalOf('consent/c-1'), '4');
  });

  it('obeys although it is some versions behind, without having an end recorded that it cannot number', async () => {
    assert.equal(await hear({ ...asked, version: 11 }), true);
    assert.equal(memory.refusalOf('consent/c-1'), '11');
    assert.deepEqual(recorded, []);
  });

  it('takes no more than the next version of a hospital that does not keep the record, and shuts it for no longer', async () => {
    assert.equal(await hear({ consentId: 'c-1', version: 5 }, 'mercy'), true);
    assert.equal(memory.refusalOf('consent/c-1'), undefined);
    memory.refuse('consent/c-1', '4', '2025-12-31T23:00:00Z');
    assert.equal(await hear({ consentId: 'c-1', version: 5 }), true);
    assert.deepEqual(memory.refusal('consent/c-1'), { reason: '5', since: '2025-12-31T23:00:00Z' });
  });

  it('answers the same and does nothing for an older or a made-up version, an unknown consent, and who is no hospital', async () => {
    for (const version of [2, 3, 12, 1_000_000]) assert.equal(await hear({ consentId: 'c-1', version }), true);
    assert.equal(await hear({ consentId: 'c-2', version: 4 }), true);
    assert.equal(await hear({ consentId: 'c-1', version: 4 }, 'acme'), true);
    assert.equal(await hear({ consentId: 'c-1', version: 4 }, 'mallory'), true);
    assert.equal(memory.refusalOf('consent/c-1'), undefined);
    assert.equal(memory.refusalOf('consent/c-2'), undefined);
  });

  it('takes nothing for a withdrawal that is none', async () => {
    for (const version of [1, 1_000_001, '4']) assert.equal(await hear({ consentId: 'c-1', version }), false);
    assert.equal(await hear({ consentId: 'a b', version: 4 }), false);
  });

  const asked = { consentId: 'c-1', version: 4, status: 'inactive', asker: { user: 'p-ann', role: 'patient' } };

  it('has the end recorded that a patient at the other hospital asks for, under that name', async () => {
    assert.equal(await hear(asked), true);
    assert.deepEqual(recorded, [{ ...asked, asker: { member: 'northside', ...asked.asker } }]);
    assert.equal(memory.refusalOf('consent/c-1'), '4');
  });

  it('has nothing recorded for staff there, who is no hospital, or of another version', async () => {
    assert.equal(await hear({ ...asked, asker: { user: 'u-baker', role: 'physician' } }), false);
    assert.equal(await hear({ ...asked, status: 'active' }), false);
    assert.equal(await hear(asked, 'acme'), true);
    assert.equal(await hear({ ...asked, version: 3 }), true);
    assert.deepEqual(recorded, []);
  });

  it('refuses although the end could not be recorded, and says so', async () => {
    const down = new Error('the ledger is down');
    assert.equal(await hear(asked, 'northside', () => Promise.reject(down)), true);
    assert.deepEqual(failures, [down]);
    assert.equal(memory.refusalOf('consent/c-1'), '4');
  });
});
