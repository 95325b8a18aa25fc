import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';

import { status } from '@grpc/grpc-js';
import { transactions } from '@salus/chaincode/access/api';
import { connectLedger, type ConnectedLedger } from '@salus/gateway/ledger/fabric-ledger';
import { actorBytes } from '@salus/gateway/ledger/vouched';
import type { Actor, Commit } from '@salus/gateway/ports';
import { RpcFailure, statusOf } from '@salus/network/embedded/rpc/failure';

import { type EndorseRelay, startEndorseRelay } from '../support/endorse-relay.js';
import { gatewaySettings } from '../support/gateway-settings.js';
import { networkOfSuite } from '../support/network.js';

const baker: Actor = { member: 'northside', user: 'u-baker', role: 'physician', purpose: 'TREAT', scopes: [] };
const TOGETHER = ['NorthsideMSP', 'StmaryMSP'];

describe('those who are asked to endorse at the same time', function () {
  this.timeout(60_000);
  const network = networkOfSuite();
  let relay: EndorseRelay;
  let ledger: ConnectedLedger;

  before(async () => {
    relay = await startEndorseRelay(network.stateDir, gatewaySettings(network.stateDir, 'northside'));
    ledger = connectLedger(relay.settings);
  });
  beforeEach(() => {
    relay.asked.length = 0;
    relay.ending = undefined;
  });
  after(() => {
    ledger.close();
    relay.stop();
  });

  const random = (): string => randomBytes(32).toString('hex');
  const submitted = (more: object = {}): Promise<Commit> => {
    const scope = { types: ['Patient'], interaction: 'read' };
    const request = { aid: random(), pid: random(), purpose: 'TREAT', scope, salt: random(), ...more };
    const transient = { request: Buffer.from(JSON.stringify(request)), actor: actorBytes(baker) };
    return ledger.submit({ transaction: transactions.request, transient, atOnce: TOGETHER });
  };
  /** What the peer's gateway says where one member's peer refuses. */
  const refusedBy = (mspId: string): void => {
    const message = `chaincode response 500, ${JSON.stringify({ category: 'forbidden', code: 'x-y', detail: '' })}`;
    const failure = new RpcFailure(status.ABORTED, 'failed to collect', [{ address: 'peer', mspId, message }]);
    relay.ending = (end) => {
      end(statusOf(failure, () => undefined));
    };
  };

  it('are waited for a few seconds where one of them hangs, then whom the policies allow is asked', async () => {
    relay.ending = () => undefined;
    const began = Date.now();
    await submitted();
    const took = Date.now() - began;
    assert.deepEqual(relay.asked, [TOGETHER, []]);
    assert.ok(took < 8_000, `${took} ms`);
  });

  it('are not asked again where the contract refuses', async () => {
    await assert.rejects(submitted({ scope: 'none' }), { name: 'Refusal', category: 'invalid' });
    assert.deepEqual(relay.asked, [TOGETHER]);
  });

  it('answer for all where the own peer refuses, not where another does, which may be behind', async () => {
    refusedBy('StmaryMSP');
    await submitted();
    assert.deepEqual(relay.asked, [TOGETHER, []]);
    relay.asked.length = 0;
    refusedBy('NorthsideMSP');
    await assert.rejects(submitted(), { code: 'x-y' });
    assert.deepEqual(relay.asked, [TOGETHER]);
  });
});
