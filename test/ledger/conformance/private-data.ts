/** Private collections: who may read, write and hold them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { peer } from '@hyperledger/fabric-protos';
import type { Operation } from '../../support/chaincode/operations.js';
import { plainIdentity, type TestClient } from '../../support/embedded-network.js';
import type { Engine } from '../../support/engine.js';
import { eventually } from '../../support/eventually.js';
import { adminIdentity } from '../../support/identities.js';
import { commit, endorse, evaluate, evaluateOnceSeen, failureOf, submit } from '../../support/ledger-calls.js';
import { privateWritesOf } from '../../support/block-reader.js';
import { readWriteSets } from '../../support/transactions.js';

const sha256 = (content: string) => createHash('sha256').update(content).digest('hex');

export function privateDataSuite(engine: () => Engine): void {
  describe('private data', () => {
    let stmary: TestClient;
    let northside: TestClient;
    let acme: TestClient;

    before(() => {
      stmary = engine().client({ member: 'stmary' });
      northside = engine().client({ member: 'northside' });
      acme = engine().client({ member: 'acme' });
    });

    const reason = async (client: TestClient, operations: readonly Operation[], organisation?: string) => {
      const options = organisation === undefined ? {} : { endorsingOrganizations: [organisation] };
      const failure = await failureOf(evaluate(client, operations, options));
      return failure.message.replace('evaluate call to endorser returned error: chaincode response 500, ', '');
    };

    it('reaches every member of the collection, and counts with two of its endorsements', async () => {
      const status = await commit(stmary, [['privatePut', 'care', 'shared', 'with hospitals']]);
      assert.equal(status.code, peer.TxValidationCode.VALID);
      const read = [['privateGet', 'care', 'shared']] as const;
      assert.deepEqual(await evaluateOnceSeen(northside, read, ['with hospitals']), ['with hospitals']);
    });

    it('does not count with one endorsement where the collection asks for two', async () => {
      const status = await commit(stmary, [['privatePut', 'care', 'alone', 'x']], {
        endorsingOrganizations: ['StmaryMSP'],
      });
      assert.equal(status.code, peer.TxValidationCode.ENDORSEMENT_POLICY_FAILURE);
      assert.deepEqual(await evaluate(stmary, [['privateGet', 'care', 'alone']]), ['']);
    });

    it('needs the collection’s policy instead of the chaincode’s, and both beside a public write', async () => {
      const alone = { endorsingOrganizations: ['StmaryMSP'] };
      assert.equal((await commit(stmary, [['privatePut', 'of-stmary', 'f18', 'x']], alone)).successful, true);
      const both: Operation[] = [
        ['privatePut', 'of-stmary', 'f18', 'y'],
        ['put', 'f18', 'y'],
      ];
      const status = await commit(stmary, both, alone);
      assert.equal(status.code, peer.TxValidationCode.ENDORSEMENT_POLICY_FAILURE);
      assert.deepEqual(await evaluate(stmary, [['privateGet', 'of-stmary', 'f18']]), ['x']);
    });

    it('does not know a collection that the definition lacks', async () => {
      const missing = 'collection health/salus/nowhere could not be found';
      for (const [operation, type] of [
        [['privateGet', 'nowhere', 'k'], 'GET_STATE'],
        [['privatePut', 'nowhere', 'k', 'v'], 'PUT_STATE'],
        [['privateDel', 'nowhere', 'k'], 'DEL_STATE'],
        [['privatePurge', 'nowhere', 'k'], 'PURGE_PRIVATE_DATA'],
        [['privateRange', 'nowhere', 'a', 'b'], 'GET_STATE_BY_RANGE'],
      ] as const) {
        assert.equal(await reason(stmary, [[...operation]]), `${type} failed: transaction ID: <id>: ${missing}`);
      }
      assert.equal(
        await reason(stmary, [['privateHash', 'nowhere', 'k']]),
        'GET_PRIVATE_DATA_HASH failed: transaction ID: <id>: collection [nowhere] not defined in the collection config for chaincode [salus]',
      );
    });

    it('is not available to a peer that does not hold it; an absent key and a range read empty there', async () => {
      await submit(northside, [['privatePut', 'of-northside', 'c22', 'x']]);
      // Before its peer has the block, the key is absent there.
      await eventually(async () => {
        const text = await reason(northside, [['privateGet', 'of-northside', 'c22']], 'AcmeMSP');
        assert.match(
          text,
          /^GET_STATE failed: transaction ID: <id>: private data matching public hash version is not available\. Public hash version = \{BlockNum: \d+, TxNum: 0\}, Private data version = <nil>$/,
        );
      });
      const elsewhere = await evaluate(
        northside,
        [
          ['privateGet', 'of-northside', 'absent'],
          ['privateRange', 'of-northside', 'a', 'z'],
        ],
        { endorsingOrganizations: ['AcmeMSP'] },
      );
      assert.deepEqual(elsewhere, ['', []]);
    });

    it('shows everybody the hash of a value, and nothing of the value', async () => {
      await submit(stmary, [['privatePut', 'of-stmary', 'c23', 'secret']]);
      const hash = [sha256('secret')];
      for (const client of [stmary, acme]) {
        assert.deepEqual(await evaluateOnceSeen(client, [['privateHash', 'of-stmary', 'c23']], hash), hash);
      }
    });

    it('records hashes of keys and values, and of the set it sends to the members', async () => {
      const sets = readWriteSets(
        await endorse(stmary, [
          ['privatePut', 'of-stmary', 'd4', 'value'],
          ['privateHash', 'of-stmary', 'c23'],
        ]),
      );
      const { hashed, privateHash } = sets.get('salus')!.collections.get('of-stmary')!;
      const [write] = hashed.getHashedWritesList();
      assert.deepEqual(
        [
          Buffer.from(write!.getKeyHash_asU8()).toString('hex'),
          Buffer.from(write!.getValueHash_asU8()).toString('hex'),
        ],
        [sha256('d4'), sha256('value')],
      );
      const [read] = hashed.getHashedReadsList();
      assert.equal(Buffer.from(read!.getKeyHash_asU8()).toString('hex'), sha256('c23'));
      assert.equal(privateHash.length, 32);
    });

    it('is for gateways of members: no other organisation, no plain client, no administrator reads or writes it', async () => {
      await submit(stmary, [['privatePut', 'care', 'c24', 'x']]);
      const plain = engine().client({ member: 'stmary', as: await plainIdentity(engine().prepared, 'stmary') });
      const admin = engine().client({ member: 'stmary', as: adminIdentity(engine().prepared, 'stmary') });
      const stranger = engine().client({ member: 'stmary', as: engine().identity('acme') });
      for (const client of [plain, admin, stranger]) {
        for (const [operation, type, what] of [
          [['privateGet', 'care', 'c24'], 'GET_STATE', 'read'],
          [['privateRange', 'care', 'a', 'z'], 'GET_STATE_BY_RANGE', 'read'],
          [['privatePut', 'care', 'c24', 'y'], 'PUT_STATE', 'write'],
          [['privateDel', 'care', 'c24'], 'DEL_STATE', 'write'],
          [['privatePurge', 'care', 'c24'], 'PURGE_PRIVATE_DATA', 'write'],
        ] as const) {
          assert.equal(
            await reason(client, [[...operation]]),
            `${type} failed: transaction ID: <id>: tx creator does not have ${what} access permission on privatedata in chaincodeName:salus collectionName: care`,
          );
        }
        assert.deepEqual(await evaluate(client, [['privateHash', 'care', 'c24']]), [sha256('x')]);
      }
    });

    it('is not mixed with writes when a range of it is read, either way round', async () => {
      const range: Operation = ['privateRange', 'of-stmary', 'a', 'z'];
      const write: Operation = ['put', 'c11', 'x'];
      assert.equal(
        await reason(stmary, [range, write]),
        'PUT_STATE failed: transaction ID: <id>: txid [<id>]: unsuppored transaction. Transaction has already performed queries on pvt data. Writes are not allowed',
      );
      assert.equal(
        await reason(stmary, [write, range]),
        'GET_STATE_BY_RANGE failed: transaction ID: <id>: txid [<id>]: unsuppored transaction. Queries on pvt data is supported only in a read-only transaction',
      );
    });

    it('is read by range in the order of keys', async () => {
      await submit(stmary, [
        ['privatePut', 'of-stmary', 'range/b', '2'],
        ['privatePut', 'of-stmary', 'range/a', '1'],
      ]);
      assert.deepEqual(await evaluate(stmary, [['privateRange', 'of-stmary', 'range/', 'range0']]), [
        [
          ['range/a', '1'],
          ['range/b', '2'],
        ],
      ]);
    });

    it('is gone with its hash after a delete, and still in the delivery of the old block', async () => {
      const written = await submit(stmary, [['privatePut', 'of-stmary', 'g6', 'old']]);
      await submit(stmary, [['privateDel', 'of-stmary', 'g6']]);
      assert.deepEqual(
        await evaluate(stmary, [
          ['privateGet', 'of-stmary', 'g6'],
          ['privateHash', 'of-stmary', 'g6'],
        ]),
        ['', ''],
      );
      assert.deepEqual(await privateWritesOf(stmary, written.blockNumber), [['of-stmary', 'g6', 'old']]);
    });

    it('is gone from the delivery of old blocks after a purge, which lists no write itself; a new value stays', async () => {
      const written = await submit(stmary, [['privatePut', 'of-stmary', 'purged', 'old']]);
      const purged = await submit(stmary, [['privatePurge', 'of-stmary', 'purged']]);
      assert.deepEqual(
        await evaluate(stmary, [
          ['privateGet', 'of-stmary', 'purged'],
          ['privateHash', 'of-stmary', 'purged'],
        ]),
        ['', ''],
      );
      assert.deepEqual(await privateWritesOf(stmary, written.blockNumber), []);
      assert.deepEqual(await privateWritesOf(stmary, purged.blockNumber), []);
      await submit(stmary, [['privatePut', 'of-stmary', 'purged', 'new']]);
      assert.deepEqual(await evaluate(stmary, [['privateGet', 'of-stmary', 'purged']]), ['new']);
    });

    it('keeps a put after a purge, and purges after a put, in one transaction', async () => {
      const write = async (operations: readonly Operation[]) => {
        const { hashed } = readWriteSets(await endorse(stmary, operations))
          .get('salus')!
          .collections.get('of-stmary')!;
        const [only] = hashed.getHashedWritesList();
        return [only!.getIsDelete(), only!.getIsPurge()];
      };
      const put: Operation = ['privatePut', 'of-stmary', 'c26', 'x'];
      const purge: Operation = ['privatePurge', 'of-stmary', 'c26'];
      assert.deepEqual(await write([purge, put]), [false, false]);
      assert.deepEqual(await write([put, purge]), [true, true]);
      assert.deepEqual(await write([put, ['privateDel', 'of-stmary', 'c26']]), [true, false]);
    });

    it('is delivered with the block to its members alone', async () => {
      const { blockNumber } = await submit(stmary, [['privatePut', 'of-stmary', 'h8', 'mine']]);
      assert.deepEqual(await privateWritesOf(stmary, blockNumber), [['of-stmary', 'h8', 'mine']]);
      assert.deepEqual(await privateWritesOf(acme, blockNumber), []);
      // A gateway of another member straight at the holder's own peer.
      const stranger = engine().client({ member: 'stmary', as: engine().identity('acme') });
      assert.deepEqual(await privateWritesOf(stranger, blockNumber), []);
    });
  });
}
