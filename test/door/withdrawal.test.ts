import assert from 'node:assert/strict';

import { hearWithdrawal } from '@salus/gateway/door/withdrawal';
import { KeyStore } from '@salus/gateway/keys/key-store';
import { Memory } from '@salus/gateway/keys/memory';

import { scratchFolder } from '../support/scratch.js';

describe('what a door makes of a withdrawal it is told of', () => {
  let folder: ReturnType<typeof scratchFolder>;
  let keys: KeyStore;
  let memory: Memory;

  /** At a door where version 3 of the consent c-1 is the newest. */
  function hear(body: object, teller = 'northside'): boolean {
    const directory = { roles: (member: string) => (member === 'northside' ? ['hospital'] : ['manufacturer']) };
    const consentVersion = (id: string): number | undefined => (id === 'c-1' ? 3 : undefined);
    const ports = { memory, directory, consentVersion, now: () => '2026-01-01T00:00:00Z' };
    return hearWithdrawal(ports, teller, JSON.stringify(body));
  }

  beforeEach(() => {
    folder = scratchFolder();
    keys = new KeyStore(folder.path);
    memory = new Memory(keys);
  });
  afterEach(() => {
    keys.close();
    folder.remove();
  });

  it('obeys a hospital that ends the newest version, whatever was said of an older one', () => {
    memory.refuse('consent/c-1', '2', '2026-01-01T00:00:00Z');
    assert.equal(hear({ consentId: 'c-1', version: 4 }), true);
    assert.equal(memory.refusalOf('consent/c-1'), '4');
  });

  it('answers the same and does nothing for another version, an unknown consent, and who is no hospital', () => {
    for (const version of [2, 3, 5, 1_000_000]) assert.equal(hear({ consentId: 'c-1', version }), true);
    assert.equal(hear({ consentId: 'c-2', version: 4 }), true);
    assert.equal(hear({ consentId: 'c-1', version: 4 }, 'acme'), true);
    assert.equal(hear({ consentId: 'c-1', version: 4 }, 'mallory'), true);
    assert.equal(memory.refusalOf('consent/c-1'), undefined);
    assert.equal(memory.refusalOf('consent/c-2'), undefined);
  });

  it('takes nothing for a withdrawal that is none', () => {
    for (const version of [1, 1_000_001, '4']) assert.equal(hear({ consentId: 'c-1', version }), false);
    assert.equal(hear({ consentId: 'a b', version: 4 }), false);
  });
});
