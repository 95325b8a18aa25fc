import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';

import { peer } from '@hyperledger/fabric-protos';
import { ACCESS_SPACE } from '@salus/gateway/access/project';
import { MAX_PAGES, RemoteReads, type RemotePorts } from '@salus/gateway/access/remote';
import { VERIFIED_LIMIT, VerifiedTokens } from '@salus/gateway/identity/verified-tokens';
import { OutcomeUnknown, Retriable } from '@salus/gateway/ledger/failure';
import { ledgerHistory, MOST_VERSIONS } from '@salus/gateway/ledger/history';
import { MAX_ENDORSEMENTS, MAX_SENDINGS, submitCall } from '@salus/gateway/ledger/submit';
import type { StoredVersion } from '@salus/gateway/ports';
import { Statements } from '@salus/gateway/projection/statements';
import { TERM_LIMIT, Terms } from '@salus/gateway/projection/search/terms';
import { MAX_TOKENS, Pages } from '@salus/gateway/supply/epcis/paging';
import { Queries, TOTAL_QUERY_LIMIT } from '@salus/network/embedded/chaincode/query-response';

import { ScriptedSteps } from '../support/scripted-steps.js';

const call = { transaction: 'ehr:write' };

describe('what goes on until a limit, and no further', () => {
  it('endorsements of one call', async () => {
    const steps = new ScriptedSteps();
    steps.endorser = () => {
      throw new Retriable('unavailable');
    };
    await assert.rejects(submitCall(steps, call), { code: 'ledger-unreachable' });
    assert.equal(steps.calls.length, MAX_ENDORSEMENTS);
  });

  it('sendings of one envelope', async () => {
    const steps = new ScriptedSteps();
    steps.decide = () => 'silent';
    await assert.rejects(submitCall(steps, call), OutcomeUnknown);
    assert.equal(steps.sent.length, MAX_SENDINGS);
  });

  it('pages of a custodian’s answer', async () => {
    let asked = 0;
    const ask = () => {
      asked += 1;
      const link = [{ relation: 'next', url: `https://door/door/fhir/R4/next?page=${asked}` }];
      return Promise.resolve({ resourceType: 'Bundle', type: 'searchset', link, entry: [] });
    };
    const record = { aid: 'a', custodians: { stmary: { decision: 'permit' } } };
    const ports = {
      ...{ member: 'northside', holdsCare: true, baseUrl: 'http://northside/fhir/R4', clock: () => 0 },
      ledger: { submit: () => Promise.resolve({ txId: '', block: 0 }) },
      endorsers: () => undefined,
      projection: {
        reached: () => Promise.resolve(true),
        fact: (space: string) => (space === ACCESS_SPACE ? JSON.stringify({ record }) : 'p'),
      },
      lookup: { byId: () => ({ pid: 'p', custodians: { stmary: { patientId: 'ann' } } }) },
      doors: { ask },
      transaction: () => Promise.resolve(undefined),
      onMissing: (_custodian: string, error: unknown) => assert.fail(String(error)),
    } as unknown as RemotePorts;
    const actor = { member: 'northside', user: 'u', role: 'physician', purpose: 'TREAT', scopes: [] };
    const request = { method: 'GET', path: '', query: new URLSearchParams(), headers: {}, actor };
    await new RemoteReads(ports).everything(request, 'ann');
    assert.equal(asked, MAX_PAGES);
  });

  it('versions in the ledger’s history of a resource', async () => {
    let looked = 0;
    const versions = Array.from({ length: MOST_VERSIONS + 1 }, (_, version) => ({ version }) as StoredVersion);
    await ledgerHistory(versions, () => {
      looked += 1;
      return Promise.resolve(undefined);
    });
    assert.equal(looked, MOST_VERSIONS);
  });

  it('tokens remembered as verified', () => {
    const tokens = new VerifiedTokens();
    for (let token = 0; token < VERIFIED_LIMIT; token += 1) tokens.keep(String(token), { exp: 1_000 }, 0);
    assert.ok(tokens.find('0', 0));
    tokens.keep('one more', { exp: 1_000 }, 0);
    assert.equal(tokens.find('0', 0), undefined);
    assert.ok(tokens.find('one more', 0));
  });

  it('terms that one search value means', () => {
    const database = new DatabaseSync(':memory:');
    database.exec('CREATE TABLE term (tid INTEGER PRIMARY KEY, parameter INTEGER, a TEXT, b TEXT, t TEXT)');
    const fill =
      'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) ' +
      "INSERT INTO term SELECT i, 1, 'smith' || i, '', '' FROM n";
    database.prepare(fill).run(TERM_LIMIT);
    const terms = new Terms(new Statements(database), 'http://stmary/fhir/R4');
    assert.equal(terms.string(1, 'Smith', '').length, TERM_LIMIT);
    database.exec("INSERT INTO term VALUES (NULL, 1, 'smithson', '', '')");
    assert.throws(() => terms.string(1, 'Smith', ''), { code: 'too-costly' });
    database.close();
  });

  it('rows of one query of a contract on the embedded ledger', () => {
    const iterator = { next: () => new Uint8Array(), close: () => '' };
    const queries = new Queries();
    let answer = peer.QueryResponse.deserializeBinary(queries.begin(iterator));
    let rows = answer.getResultsList().length;
    while (answer.getHasMore()) {
      answer = peer.QueryResponse.deserializeBinary(queries.next(answer.getId()));
      rows += answer.getResultsList().length;
    }
    assert.equal(rows, TOTAL_QUERY_LIMIT);
  });

  it('pages of answers that wait to be asked for: the oldest give way', () => {
    const pages = new Pages(() => 0);
    const tokens = Array.from(
      { length: MAX_TOKENS + 1 },
      () => pages.first([1, 2], 1, '/events', 'a').next?.token ?? '',
    );
    const [oldest = '', second = ''] = tokens;
    assert.throws(() => pages.next(oldest, 1, '/events', 'a'), /not alive/);
    assert.deepEqual(pages.next(second, 1, '/events', 'a').items, [2]);
  });
});
