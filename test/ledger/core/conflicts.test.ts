import assert from 'node:assert/strict';
import { common, ledger, peer } from '@hyperledger/fabric-protos';
import { readGenesis } from '@salus/network/config/channel-files';
import { RangeReads } from '@salus/network/embedded/rwset/range-reads';
import { MAX_DEGREE } from '@salus/network/embedded/rwset/range-summary';
import { LedgerWorld, type Transaction } from '../../support/ledger-world.js';

const { INVALID_CHAINCODE, MVCC_READ_CONFLICT, PHANTOM_READ_CONFLICT, VALID } = peer.TxValidationCode;
const MAJORITY = ['stmary', 'northside', 'acme', 'meridian'];

describe('the embedded ledger finds what changed under a transaction', function () {
  this.timeout(120_000);
  let world: LedgerWorld;

  before(async () => {
    world = await LedgerWorld.create();
  });
  after(() => {
    world.destroy();
  });

  const put = (...keys: string[]): Transaction =>
    world.transaction({
      endorsers: MAJORITY,
      effect: (sets, chaincode) => {
        for (const key of keys) sets.write(chaincode, key, Buffer.from('x'));
      },
    });
  const remove = (key: string): Transaction =>
    world.transaction({
      endorsers: MAJORITY,
      effect: (sets, chaincode) => {
        sets.write(chaincode, key, Buffer.alloc(0));
      },
    });
  /** A transaction that read [start, end) to its end, as the state stands now, and writes one key. */
  const scan = (start: string, end: string, into: string): Transaction => {
    const snapshot = world.ledger.chain.snapshot();
    const reads = new RangeReads();
    for (const { key, version } of snapshot.range(world.chaincode, start, end)) reads.add(key, version);
    snapshot.release();
    const info = new ledger.rwset.kvrwset.RangeQueryInfo();
    info.setStartKey(start);
    info.setEndKey(end);
    info.setItrExhausted(true);
    reads.describe(info);
    return world.transaction({
      endorsers: MAJORITY,
      effect: (sets, chaincode) => {
        sets.range(chaincode, info);
        sets.write(chaincode, into, Buffer.from('scanned'));
      },
    });
  };
  const rows = (prefix: string, count: number): string[] =>
    Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(4, '0')}`);

  for (const count of [3, MAX_DEGREE, MAX_DEGREE + 1, 3 * MAX_DEGREE]) {
    it(`in a range of ${count} rows: inserted, deleted, rewritten in the block or before it`, async () => {
      const prefix = `n${count}-`;
      await world.commit([put(...rows(prefix, count)).envelope]);
      const all = (): Transaction => scan(prefix, `${prefix}~`, `${prefix}~result`);
      const unchanged = all();
      const beside = put(`m${count}`);
      assert.deepEqual(await world.commit([beside.envelope, unchanged.envelope]), [VALID, VALID]);
      for (const change of [put(`${prefix}0001x`), remove(`${prefix}0001x`), put(`${prefix}0002`)]) {
        const late = all();
        assert.deepEqual(await world.commit([change.envelope, late.envelope]), [VALID, PHANTOM_READ_CONFLICT]);
      }
      const late = all();
      await world.commit([put(`${prefix}0000`).envelope]);
      assert.deepEqual(await world.commit([late.envelope]), [PHANTOM_READ_CONFLICT]);
    });
  }

  it('orders keys by their UTF-8 bytes', async () => {
    await world.commit([put('u\u{10FFFF}', 'u\uE000', 'u\u0001', 'ua').envelope]);
    const snapshot = world.ledger.chain.snapshot();
    const keys = [...snapshot.range(world.chaincode, 'u', 'v')].map(({ key }) => key);
    snapshot.release();
    assert.deepEqual(keys, ['u\u0001', 'ua', 'u\uE000', 'u\u{10FFFF}']);
    assert.deepEqual(await world.commit([scan('u', 'v', 'sorted').envelope]), [VALID]);
  });

  it('in private state by the hash of the key, wherever the value lies', async () => {
    const readThenWrite = (): Transaction =>
      world.transaction({
        endorsers: ['stmary', 'northside'],
        effect: (sets, chaincode) => {
          sets.privateRead(chaincode, 'care', 'new', undefined);
          sets.privateWrite(chaincode, 'care', 'new', Buffer.from('v'));
        },
      });
    const [first, second] = [readThenWrite(), readThenWrite()];
    assert.deepEqual(await world.commit([first.envelope, second.envelope]), [VALID, MVCC_READ_CONFLICT]);
  });

  it('takes a chaincode whose definition is nonsense for none, and goes on', async () => {
    const nonsense = world.transaction({
      endorsers: MAJORITY,
      effect: (sets) => {
        sets.write('_lifecycle', 'namespaces/metadata/broken', Buffer.from('x'));
        sets.write('_lifecycle', 'namespaces/fields/broken/ValidationInfo', Buffer.from([0x12, 0x7f, 0x01]));
      },
    });
    assert.deepEqual(await world.commit([nonsense.envelope]), [VALID]);
    const broken = world.transaction({
      endorsers: MAJORITY,
      effect: (sets) => {
        sets.write('broken', 'key', Buffer.from('x'));
      },
    });
    assert.deepEqual(await world.commit([broken.envelope, put('still').envelope]), [INVALID_CHAINCODE, VALID]);
  });

  it('refuses a block that changes the configuration, and goes on without it', async () => {
    const genesis = common.Block.deserializeBinary(readGenesis(world.stateDir));
    const first = common.Envelope.deserializeBinary(genesis.getData()!.getDataList_asU8()[0]!);
    const payload = common.Payload.deserializeBinary(first.getPayload_asU8());
    const admin = world.admin('stmary');
    const signature = new common.SignatureHeader();
    signature.setCreator(admin.identity);
    signature.setNonce(Buffer.alloc(24, 1));
    payload.getHeader()!.setSignatureHeader(signature.serializeBinary());
    const update = new common.Envelope();
    update.setPayload(payload.serializeBinary());
    update.setSignature(admin.sign(Buffer.from(payload.serializeBinary())));
    const { height } = world.ledger.chain;
    await assert.rejects(world.commit([Buffer.from(update.serializeBinary())]), /does not implement/);
    assert.equal(world.ledger.chain.height, height);
    assert.deepEqual(await world.commit([put('on').envelope]), [VALID]);
  });
});
