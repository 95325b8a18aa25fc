import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';

import { transactions, type RequestAccess } from '@salus/chaincode/access/api';
import { newAccessId, requestAccess, type RequestPorts } from '@salus/gateway/access/request';
import { endorsersTogether } from '@salus/gateway/ledger/endorsers';
import { connectLedger, type ConnectedLedger } from '@salus/gateway/ledger/fabric-ledger';
import { actorBytes } from '@salus/gateway/ledger/vouched';
import type { Actor, LedgerCall, LedgerTransaction } from '@salus/gateway/ports';
import { Directory } from '@salus/gateway/registry/directory';

import { gatewaySettings } from '../support/gateway-settings.js';
import { networkOfSuite } from '../support/network.js';

const baker: Actor = { member: 'northside', user: 'u-baker', role: 'physician', purpose: 'TREAT', scopes: [] };

describe('who is asked to endorse an access', () => {
  const network = networkOfSuite();
  let ledger: ConnectedLedger;

  before(() => {
    ledger = connectLedger(gatewaySettings(network.stateDir, 'northside'));
  });
  after(() => {
    ledger.close();
  });

  /** An access to nobody, with whom to ask, as the block has it. */
  async function committed(atOnce: readonly string[]): Promise<LedgerTransaction> {
    const random = (): string => randomBytes(32).toString('hex');
    const scope = { types: ['Patient'], interaction: 'read' as const };
    const request: RequestAccess = { aid: random(), pid: random(), purpose: 'TREAT', scope, salt: random() };
    const transient = { request: Buffer.from(JSON.stringify(request)), actor: actorBytes(baker) };
    const { txId, block } = await ledger.submit({ transaction: transactions.request, transient, atOnce });
    const stop = new AbortController();
    try {
      for await (const { transactions: found } of ledger.blocks(block, stop.signal)) {
        const ours = found.find((each) => each.txId === txId);
        assert.ok(ours, 'the transaction lies in the block it was committed in');
        return ours;
      }
      return assert.fail('no block came');
    } finally {
      stop.abort();
    }
  }

  it('is every member named, at the same time', async () => {
    const named = ['AuthorityMSP', 'NorthsideMSP', 'StmaryMSP'];
    const { code, endorsers } = await committed(named);
    assert.equal(code, 0);
    assert.deepEqual([...endorsers].sort(), named);
  });

  it('is whom the policies allow, where one of the named has no peer', async () => {
    const { code, endorsers } = await committed(['NorthsideMSP', 'NobodyMSP']);
    assert.equal(code, 0);
    assert.equal(endorsers.length, 2);
    assert.ok(endorsers.includes('NorthsideMSP'), endorsers.join());
  });

  it('is the own member and one other that holds the record, whoever it is about', async () => {
    const directory = new Directory({ fact: () => undefined }, gatewaySettings(network.stateDir, 'northside'));
    const asked: LedgerCall[] = [];
    const submit = (call: LedgerCall) => {
      asked.push(call);
      return Promise.resolve({ txId: '', block: 0 });
    };
    const ports: RequestPorts = {
      ledger: { submit },
      endorsers: () => endorsersTogether('care', 'northside', directory),
      projection: { fact: () => undefined, reached: () => Promise.resolve(true) },
    };
    for (let count = 0; count < 64; count += 1) {
      const wish = { aid: newAccessId(), pid: 'p', scope: { types: ['Patient'], interaction: 'read' as const } };
      await assert.rejects(requestAccess(ports, baker, wish), { code: 'access-not-seen' });
    }
    const drawn = new Set(asked.map(({ atOnce = [] }) => atOnce.join(' ')));
    assert.deepEqual([...drawn].sort(), ['NorthsideMSP AuthorityMSP', 'NorthsideMSP StmaryMSP']);
  });

  it('is left to the policies where too few others hold the record', () => {
    const alone = {
      names: ['northside', 'medisure'],
      roles: (name: string) => [name === 'northside' ? 'hospital' : 'payer'],
    };
    assert.equal(endorsersTogether('care', 'northside', alone), undefined);
  });
});
