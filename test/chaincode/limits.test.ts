import assert from 'node:assert/strict';

import * as access from '@salus/chaincode/access/api';
import * as consent from '@salus/chaincode/consent/api';
import { decodeRefusal } from '@salus/chaincode/dist/lib/refusal.js';
import * as ehr from '@salus/chaincode/ehr/api';
import * as registry from '@salus/chaincode/registry/api';

const hex = 'a'.repeat(64);

describe('requests to the contracts, at a limit and one over it', () => {
  /** Takes the value made for the limit, and refuses the one made for the limit and one. */
  function limited(parse: (value: unknown, path: string) => unknown, make: (size: number) => object, limit: number) {
    assert.ok(parse(make(limit), 'request'));
    assert.throws(
      () => parse(make(limit + 1), 'request'),
      (error: Error) => decodeRefusal(error.message)?.code === 'invalid-request',
    );
  }

  it('name so many types in a scope', () => {
    const scope = (size: number) => ({ types: Array<string>(size).fill('Observation'), interaction: 'search' });
    limited(access.parseScope, scope, access.MAX_SCOPE_TYPES);
  });

  it('are of so high a version', () => {
    const stored = { v: 1, salt: hex, ciphertext: 'A'.repeat(22), commitment: hex };
    const write = (number: number) => ({
      idempotencyKey: hex,
      digest: hex,
      entries: [{ key: hex, version: number, value: stored }],
      salt: hex,
    });
    limited(ehr.parseWrite, write, ehr.MAX_VERSION);
    limited(consent.parseRead, (number) => ({ consentId: 'c', version: number }), consent.MAX_VERSION);
  });

  it('hold a consent of so many characters', () => {
    const record = (size: number) => {
      const bare = { resourceType: 'Consent', id: '' };
      const id = 'x'.repeat(size - JSON.stringify(bare).length);
      return { pid: hex, consentId: 'c', version: 1, consent: { ...bare, id }, salt: hex };
    };
    limited(consent.parseRecord, record, consent.MAX_CONSENT_CHARACTERS);
  });

  it('found a consortium of so many members', () => {
    const entry = (size: number) => ({
      kind: 'consortium',
      members: Array.from({ length: size }, (_, index) => ({ name: `member${index}`, mspId: `Member${index}MSP` })),
    });
    limited(registry.parseEntry, entry, registry.MAX_MEMBERS);
  });
});
