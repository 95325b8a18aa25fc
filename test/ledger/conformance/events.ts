/** gateway.Gateway/ChaincodeEvents. */
import assert from 'node:assert/strict';
import type { ChaincodeEvent } from '@hyperledger/fabric-gateway';
import { gateway, orderer } from '@hyperledger/fabric-protos';
import { serializedIdentity } from '@salus/network/identity/signer';
import { take, type TestClient } from '../../support/embedded-network.js';
import type { Engine } from '../../support/engine.js';
import { commit, failureOf, submit } from '../../support/ledger-calls.js';

export function eventSuite(engine: () => Engine): void {
  describe('chaincode events', () => {
    let stmary: TestClient;
    before(() => {
      stmary = engine().client({ member: 'stmary' });
    });

    const emit = (name: string) => submit(stmary, [['event', name, `payload of ${name}`]]);
    const names = (events: readonly ChaincodeEvent[]) => events.map(({ eventName }) => eventName);

    it('come from the named block on, with payload, block after block', async () => {
      const first = await emit('a30-1');
      const second = await emit('a30-2');
      const events = await take(await stmary.network.getChaincodeEvents('salus', { startBlock: first.blockNumber }), 2);
      assert.deepEqual(
        events.map(({ blockNumber, transactionId, chaincodeName, eventName, payload }) => [
          blockNumber,
          transactionId,
          chaincodeName,
          eventName,
          Buffer.from(payload).toString(),
        ]),
        [
          [first.blockNumber, first.transactionId, 'salus', 'a30-1', 'payload of a30-1'],
          [second.blockNumber, second.transactionId, 'salus', 'a30-2', 'payload of a30-2'],
        ],
      );
    });

    it('wait for a block that is still to come', async () => {
      const { blockNumber } = await emit('a30-now');
      const events = take(await stmary.network.getChaincodeEvents('salus', { startBlock: blockNumber + 1n }), 1);
      await emit('a30-later');
      assert.deepEqual(names(await events), ['a30-later']);
    });

    it('leave out invalid transactions and blocks without events', async () => {
      const { blockNumber } = await emit('a32-before');
      await commit(
        stmary,
        [
          ['event', 'a32-invalid', ''],
          ['put', 'a32', 'x'],
        ],
        {
          endorsingOrganizations: ['StmaryMSP'],
        },
      );
      await submit(stmary, [['put', 'a32', 'silent']]);
      await emit('a32-after');
      const events = await take(await stmary.network.getChaincodeEvents('salus', { startBlock: blockNumber }), 2);
      assert.deepEqual(names(events), ['a32-before', 'a32-after']);
    });

    it('go on after a transaction, wherever the start was said to be', async () => {
      const first = await emit('a31-1');
      await emit('a31-2');
      const events = await stmary.network.getChaincodeEvents('salus', {
        startBlock: first.blockNumber + 100n,
        checkpoint: {
          getBlockNumber: () => first.blockNumber,
          getTransactionId: () => first.transactionId,
        },
      });
      assert.deepEqual(names(await take(events, 1)), ['a31-2']);
    });

    it('of an unknown chaincode never come', async () => {
      const events = await stmary.network.getChaincodeEvents('nope', { startBlock: 0n });
      const seen = take(events, 1);
      await emit('a30-nope');
      assert.equal(await Promise.race([seen.then(() => 'an event'), pause().then(() => 'nothing')]), 'nothing');
      events.close();
    });

    it('of another channel are refused', async () => {
      const events = stmary.gateway.getNetwork('elsewhere').getChaincodeEvents('salus', { startBlock: 0n });
      const failure = await failureOf((async () => take(await events, 1))());
      assert.deepEqual(failure, {
        error: 'GatewayError',
        code: 'PERMISSION_DENIED',
        message: 'Failed to get policy manager for channel [elsewhere]',
        details: [],
      });
    });

    it('may start nowhere but at a block or the next commit', async () => {
      for (const [start, type] of [
        [
          position((place) => {
            place.setOldest(new orderer.SeekOldest());
          }),
          'Oldest',
        ],
        [
          position((place) => {
            place.setNewest(new orderer.SeekNewest());
          }),
          'Newest',
        ],
      ] as const) {
        const request = stmary.gateway.newChaincodeEventsRequest(requestFrom(stmary, start));
        const failure = await failureOf((async () => take(await request.getEvents(), 1))());
        assert.deepEqual(
          [failure.code, failure.message],
          ['INVALID_ARGUMENT', `invalid start position type: *orderer.SeekPosition_${type}`],
        );
      }
    });
  });
}

/** Long enough for what is on its way to arrive. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 300));
}

function position(set: (place: orderer.SeekPosition) => void): orderer.SeekPosition {
  const place = new orderer.SeekPosition();
  set(place);
  return place;
}

/** A gateway.SignedChaincodeEventsRequest to be signed. */
function requestFrom(client: TestClient, start: orderer.SeekPosition): Uint8Array {
  const { mspId, credentials } = client.gateway.getIdentity();
  const request = new gateway.ChaincodeEventsRequest();
  request.setChannelId('health');
  request.setChaincodeId('salus');
  request.setIdentity(serializedIdentity(mspId, Buffer.from(credentials).toString()));
  request.setStartPosition(start);
  const signed = new gateway.SignedChaincodeEventsRequest();
  signed.setRequest(request.serializeBinary());
  return signed.serializeBinary();
}
