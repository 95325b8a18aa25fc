import assert from 'node:assert/strict';

import * as access from '@salus/chaincode/access/api';
import * as consent from '@salus/chaincode/consent/api';
import { decodeRefusal } from '@salus/chaincode/dist/lib/refusal.js';
import * as ehr from '@salus/chaincode/ehr/api';
import { MAX_LINE, parseCommitList, parsePublishDocument } from '@salus/chaincode/dist/trial/acts.js';
import { MAX_SLOTS } from '@salus/chaincode/dist/trial/allotted.js';
import {
  MAX_CRITERIA,
  MAX_OUTCOMES,
  MAX_PARTIES,
  MAX_STRATA,
  parseParties,
  parseProtocol,
} from '@salus/chaincode/dist/trial/protocol.js';
import * as registry from '@salus/chaincode/registry/api';
import * as supply from '@salus/chaincode/supply/api';

import { parties, protocol } from '../trial/world.js';

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

  it('prove a pack by so long a path, and pack so many lots into one container', () => {
    const origin = (size: number) => ({ lotId: hex, index: 0, path: Array<string>(size).fill(hex) });
    limited(supply.parseStatus, (size) => ({ item: hex, origin: origin(size) }), supply.MAX_PATH);
    const pack = (size: number) => ({
      container: hex,
      children: { root: hex, others: true },
      lots: Array<string>(size).fill(hex),
      moved: [],
      salt: hex,
    });
    limited(supply.parsePack, pack, supply.MAX_LOTS);
  });

  it('anchor so many events at once', () => {
    limited(supply.parseAnchor, (count) => ({ captureId: hex, root: hex, count }), supply.MAX_EVENTS);
  });

  it('register a protocol of so many outcomes, strata and criteria, and so many members in a part', () => {
    const ids = (size: number): string[] => Array.from({ length: size }, (_, index) => `c${index}`);
    const outcomes = (size: number) =>
      ids(size).map((id) => ({ id, role: 'primary' as const, measure: 'm', timeFrame: 't' }));
    const scheme = protocol().allocation;
    limited(parseProtocol, (size) => protocol({ outcomes: outcomes(size) }), MAX_OUTCOMES);
    limited(parseProtocol, (size) => protocol({ allocation: { ...scheme, strata: ids(size) } }), MAX_STRATA);
    limited(parseProtocol, (size) => protocol({ criteria: ids(size) }), MAX_CRITERIA);
    limited(parseParties, (size) => ({ ...parties, sites: ids(size) }), MAX_PARTIES);
  });

  it('commit a list of so many slots, and go on to so many acts in one line', () => {
    const list = (size: number) => ({ trial: 't', stratum: 's', root: hex, kits: Array<string>(size).fill('K1') });
    limited(parseCommitList, list, MAX_SLOTS);
    const document = (version: number) => {
      const translations = [{ language: 'en', hash: hex }];
      return { trial: 't', version, translations, optionalParts: [] };
    };
    limited(parsePublishDocument, document, MAX_LINE);
  });
});
