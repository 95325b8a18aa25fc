import { strict as assert } from 'node:assert';

import { erasureKey } from '@salus/chaincode/ehr/api';
import { rootOf } from '@salus/gateway/erasure/certificate';
import { checkedCertificate } from '@salus/gateway/erasure/certificate-check';
import type { LedgerTransaction } from '@salus/gateway/ports';

import { SigningKey } from '../support/signing.js';

const hash = (letter: string): string => letter.repeat(64);
const keyHashes = [hash('a'), hash('b')];
const key = new SigningKey('stmary-1');
const act = { user: 'officer', role: 'privacy-officer', at: '2026-01-01T00:00:00.000Z' };
const claims = {
  ...({ v: 1, kind: 'erasure', channel: 'health', member: 'stmary', erasureId: hash('e') } as const),
  ...({ basis: 'objection', asked: act, approved: act, announced: 't1', purged: ['t2'] } as const),
  ...{ keyHashes, root: rootOf(keyHashes), completed: act.at },
};
const record = { erasureId: claims.erasureId, member: 'stmary', keys: 2, root: claims.root };
const announcement = {
  ...{ key: erasureKey(claims.erasureId), value: Buffer.from(JSON.stringify(record)) },
  ...{ isDelete: false, isPurge: false },
};
const purges = keyHashes.map((keyHash) => ({ collection: 'of-stmary', keyHash, isDelete: true, isPurge: true }));
type Transaction = Pick<LedgerTransaction, 'code' | 'writes'>;
const again = { collection: 'of-stmary', keyHash: hash('b'), isDelete: false, isPurge: false };

describe('the certificate of an erasure, by the transactions there are', () => {
  const certificate = key.sign(claims);
  const chain = (...more: (readonly [string, Transaction])[]): Map<string, Transaction> =>
    new Map([['t1', { code: 0, writes: [announcement] }], ['t2', { code: 0, writes: purges }], ...more]);
  const findings = (transactions: ReadonlyMap<string, Transaction>): readonly string[] =>
    checkedCertificate(certificate, {
      channel: 'health',
      keyOf: (member, kid) => (member === 'stmary' && kid === key.kid ? key.jwk : undefined),
      transactions,
    }).findings;

  it('holds where each key was purged, and what came to nothing does not count', () => {
    assert.deepEqual(findings(chain()), []);
    assert.deepEqual(findings(chain(['t3', { code: 11, writes: [again] }])), []);
    assert.deepEqual(findings(chain(['t3', { code: 0, writes: [{ ...again, collection: 'of-northside' }] }])), []);
  });

  it('does not where a key was written again, or purged by a transaction that came to nothing', () => {
    assert.deepEqual(findings(chain(['t3', { code: 0, writes: [again] }])), [
      `key ${hash('b')} was written again in t3`,
    ]);
    const void_ = findings(new Map([...chain(), ['t2', { code: 11, writes: purges }]]));
    assert.equal(void_.length, 2);
  });

  it('is none where a member signed something else, or another member has a key of the same id', () => {
    const other = new SigningKey(key.kid);
    const keyOf = (member: string) => ({ stmary: key.jwk, northside: other.jwk })[member];
    const said = (text: string) =>
      checkedCertificate(text, { channel: 'health', keyOf, transactions: chain() }).findings;
    assert.deepEqual(said(certificate), []);
    for (const text of [key.sign('no JSON'), key.sign('null'), other.sign(claims)]) {
      assert.deepEqual(said(text), ['no member signed this as a certificate of an erasure of its own']);
    }
  });
});
