/** The block streams of peers and orderers, and who may have them. */
import assert from 'node:assert/strict';
import { common } from '@hyperledger/fabric-protos';
import type { Signer } from '@salus/network/embedded/ports';
import { plainIdentity, take, type TestClient } from '../../support/embedded-network.js';
import type { Engine } from '../../support/engine.js';
import { adminIdentity, ordererAdminIdentity, ordererIdentity, peerIdentity } from '../../support/identities.js';
import { commit, failureOf, submit } from '../../support/ledger-calls.js';
import { signerFrom } from '../../support/proposal.js';
import { RawClient } from '../../support/raw-client.js';
import { deliver, deliverFromOrderer, seekEnvelope, type DeliverKind, type Seek } from '../../support/seek.js';
import { filteredBlockAt } from '../../support/block-reader.js';

const KINDS: readonly DeliverKind[] = ['deliver', 'deliverFiltered', 'deliverWithPrivateData'];

export function deliverSuite(engine: () => Engine): void {
  describe('deliver', () => {
    let raw: RawClient;
    let client: TestClient;
    let stmary: Signer;
    /** Number of the newest block. */
    let newest: number;

    before(async () => {
      raw = new RawClient(engine().prepared, 'stmary');
      client = engine().client({ member: 'stmary' });
      stmary = signerFrom(engine().identity('stmary'));
      newest = Number((await submit(client, [['put', 'deliver', '1']])).blockNumber);
    });
    after(() => {
      raw.close();
    });

    const ask = (seek: Seek, by = stmary) => deliver(raw, by, seek);
    const first = { start: 'oldest', stop: 0 } as const;

    it('gives blocks from start to stop, both included, then says SUCCESS', async () => {
      for (const kind of KINDS) {
        const answer = await deliver(raw, stmary, { start: 'oldest', stop: 2 }, kind);
        assert.deepEqual(answer, { blocks: [0, 1, 2].slice(0, Math.min(3, newest + 1)), status: 'SUCCESS' });
      }
    });

    it('gives exactly one block from newest to newest', async () => {
      assert.deepEqual(await ask({ start: 'newest', stop: 'newest' }), { blocks: [newest], status: 'SUCCESS' });
    });

    it('takes a seek under any header type', async () => {
      const answer = await ask({ ...first, headerType: common.HeaderType.MESSAGE });
      assert.deepEqual(answer, { blocks: [0], status: 'SUCCESS' });
    });

    for (const [what, seek, status] of [
      ['a start behind the stop', { start: 2, stop: 1 }, 'BAD_REQUEST'],
      ['no start', { stop: 1 }, 'BAD_REQUEST'],
      ['no stop', { start: 1 }, 'BAD_REQUEST'],
      ['another channel', { ...first, channel: 'elsewhere' }, 'NOT_FOUND'],
      ['a wrong signature', { ...first, bend: () => Buffer.from('no signature') }, 'FORBIDDEN'],
      ['a start far above the height', { start: 1_000_000, stop: 1_000_001 }, 'NOT_FOUND'],
      [
        'a start above the height, when it must not wait',
        { start: 1_000_000, stop: 1_000_001, failIfNotReady: true },
        'NOT_FOUND',
      ],
      ['a time 20 minutes ago', { ...first, offsetMs: -20 * 60_000 }, 'BAD_REQUEST'],
      ['a time in 20 minutes', { ...first, offsetMs: 20 * 60_000 }, 'BAD_REQUEST'],
      ['no time', { ...first, offsetMs: null }, 'BAD_REQUEST'],
    ] as readonly (readonly [string, Seek, string])[]) {
      it(`answers ${what} with ${status}, as a message`, async () => {
        assert.deepEqual(await ask(seek), { blocks: [], status });
      });
    }

    it('answers garbage with BAD_REQUEST', async () => {
      const call = raw.deliver.deliver();
      const envelope = seekEnvelope(stmary, first, raw.tlsHash);
      envelope.setPayload(Buffer.from('no payload'));
      const answer = new Promise<number>((resolve, reject) => {
        call.on('data', (message: { getStatus(): number }) => {
          resolve(message.getStatus());
        });
        call.on('error', reject);
      });
      call.write(envelope);
      assert.equal(await answer, common.Status.BAD_REQUEST);
      call.end();
    });

    it('is for gateways, peers and administrators of members, at any member’s peer', async () => {
      const { prepared } = engine();
      for (const identity of [
        engine().identity('acme'),
        peerIdentity(prepared, 'tally'),
        adminIdentity(prepared, 'northside'),
      ]) {
        assert.equal((await ask(first, signerFrom(identity))).status, 'SUCCESS');
      }
      for (const identity of [
        await plainIdentity(prepared, 'stmary'),
        await plainIdentity(prepared, 'acme'),
        ordererAdminIdentity(prepared, 'stmary'),
      ]) {
        for (const kind of KINDS) {
          assert.deepEqual(await deliver(raw, signerFrom(identity), first, kind), { blocks: [], status: 'FORBIDDEN' });
        }
      }
    });

    it('of the orderers is for the same and for orderers', async () => {
      const { prepared } = engine();
      for (const identity of [
        engine().identity('acme'),
        peerIdentity(prepared, 'tally'),
        adminIdentity(prepared, 'northside'),
        ordererIdentity(prepared, 'stmary'),
        ordererAdminIdentity(prepared, 'acme'),
      ]) {
        assert.deepEqual(await deliverFromOrderer(raw, signerFrom(identity), first), {
          blocks: [0],
          status: 'SUCCESS',
        });
      }
      for (const member of ['stmary', 'acme']) {
        const plain = signerFrom(await plainIdentity(prepared, member));
        assert.deepEqual(await deliverFromOrderer(raw, plain, first), { blocks: [], status: 'FORBIDDEN' });
      }
    });

    it('fails in the client library of a plain client without a code', async () => {
      const plain = engine().client({ member: 'stmary', as: await plainIdentity(engine().prepared, 'stmary') });
      const network = plain.network;
      for (const open of [
        () => network.getBlockEvents({ startBlock: 0n }),
        () => network.getFilteredBlockEvents({ startBlock: 0n }),
        () => network.getBlockAndPrivateDataEvents({ startBlock: 0n }),
      ]) {
        await assert.rejects(
          async () => take<unknown>(await open(), 1),
          (error: Error & { code?: unknown }) =>
            error.message === 'Unexpected status response: 403' && error.code === undefined,
        );
      }
    });

    it('gives filtered blocks with every transaction’s code and its event without payload, invalid ones too', async () => {
      const valid = await submit(client, [['event', 'filtered', 'payload']]);
      const invalid = await commit(
        client,
        [
          ['event', 'refused', 'payload'],
          ['put', 'h7', 'x'],
        ],
        {
          endorsingOrganizations: ['StmaryMSP'],
        },
      );
      for (const [status, name] of [
        [valid, 'filtered'],
        [invalid, 'refused'],
      ] as const) {
        const block = await filteredBlockAt(client, status.blockNumber);
        assert.equal(block.getChannelId(), 'health');
        const [transaction] = block.getFilteredTransactionsList();
        const [action] = transaction!.getTransactionActions()!.getChaincodeActionsList();
        const event = action!.getChaincodeEvent()!;
        assert.deepEqual(
          [transaction!.getTxid(), transaction!.getTxValidationCode(), event.getEventName(), event.getChaincodeId()],
          [status.transactionId, status.code, name, 'salus'],
        );
        assert.equal(event.getPayload_asU8().length, 0);
      }
    });

    it('waits for a block that is still to come', async () => {
      const { blockNumber } = await submit(client, [['put', 'h1', 'now']]);
      const next = filteredBlockAt(client, blockNumber + 1n);
      const later = await submit(client, [['put', 'h1', 'later']]);
      assert.equal(BigInt((await next).getNumber()), later.blockNumber);
    });

    it('does not need the right to blocks for the status of a commit', async () => {
      const plain = engine().client({ member: 'stmary', as: await plainIdentity(engine().prepared, 'stmary') });
      assert.equal((await submit(plain, [['put', 'l8', 'x']])).successful, true);
      const events = plain.network.getChaincodeEvents('salus');
      const failure = await failureOf(
        (async () => {
          await take(await events, 1);
        })(),
      );
      assert.deepEqual(failure, {
        error: 'GatewayError',
        code: 'PERMISSION_DENIED',
        message:
          'failed evaluating policy on signed data during check policy [/Channel/Application/BlockReaders]: ' +
          '[signature set did not satisfy policy]',
        details: [],
      });
    });
  });
}
