import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { peer } from '@hyperledger/fabric-protos';
import { LedgerWorld, type Transaction } from '../../support/ledger-world.js';

const { DUPLICATE_TXID, ENDORSEMENT_POLICY_FAILURE, MVCC_READ_CONFLICT, BAD_CREATOR_SIGNATURE, VALID } =
  peer.TxValidationCode;
const MAJORITY = ['stmary', 'northside', 'acme', 'meridian'];
const SECRET = 'a value only its members may hold';

describe('the embedded ledger commits blocks', function () {
  this.timeout(120_000);
  let world: LedgerWorld;

  before(async () => {
    world = await LedgerWorld.create();
  });
  after(() => {
    world.destroy();
  });

  const put = (key: string, value: string, endorsers: readonly string[] = MAJORITY): Transaction =>
    world.transaction({
      endorsers,
      effect: (sets, chaincode) => {
        sets.write(chaincode, key, Buffer.from(value));
      },
    });
  const increment = (key: string): Transaction => {
    const snapshot = world.ledger.chain.snapshot();
    const { version } = snapshot.state(world.chaincode, key) ?? {};
    snapshot.release();
    return world.transaction({
      endorsers: MAJORITY,
      effect: (sets, chaincode) => {
        sets.read(chaincode, key, version);
        sets.write(chaincode, key, Buffer.from('next'));
      },
    });
  };
  const careWrite = (key: string, value: string, purge = false): Transaction => {
    const made = world.transaction({
      endorsers: ['stmary', 'northside'],
      effect: (sets, chaincode) => {
        sets.privateWrite(chaincode, 'care', key, Buffer.from(value), purge);
      },
    });
    world.ledger.transient.put(world.mspId('stmary'), made.txId, made.privateSet!, world.ledger.chain.height);
    return made;
  };

  it('reads the definition that a majority committed', () => {
    const snapshot = world.ledger.chain.snapshot();
    const definition = world.ledger.definition(world.chaincode, snapshot);
    snapshot.release();
    assert.equal(definition?.sequence, 1);
    assert.ok(definition.collections.has('care'));
    assert.ok(definition.collections.has('of-stmary'));
  });

  it('wants a majority of members for public state, peers and nobody else', async () => {
    const codes = await world.commit([
      put('majority', 'a').envelope,
      put('too-few', 'a', ['stmary', 'northside', 'acme']).envelope,
      put('twice-the-same', 'a', ['stmary', 'stmary', 'northside', 'acme']).envelope,
    ]);
    assert.deepEqual(codes, [VALID, ENDORSEMENT_POLICY_FAILURE, ENDORSEMENT_POLICY_FAILURE]);
  });

  it('gives the second reader of a changed key a conflict, and a repeated id none of its effect', async () => {
    await world.commit([put('counter', '0').envelope]);
    const [first, second] = [increment('counter'), increment('counter')];
    assert.deepEqual(await world.commit([first.envelope, second.envelope, first.envelope]), [
      VALID,
      MVCC_READ_CONFLICT,
      DUPLICATE_TXID,
    ]);
    assert.deepEqual(await world.commit([second.envelope]), [DUPLICATE_TXID]);
    const position = world.ledger.chain.transaction(second.txId);
    assert.equal(position?.code, MVCC_READ_CONFLICT);
  });

  it('refuses a creator signature that does not fit', async () => {
    const bent = world.transaction({
      endorsers: MAJORITY,
      effect: (sets, chaincode) => {
        sets.write(chaincode, 'bent', Buffer.from('x'));
      },
      bend: (envelope) => {
        envelope.setSignature(put('other', 'x').envelope.subarray(-70));
      },
    });
    assert.deepEqual(await world.commit([bent.envelope]), [BAD_CREATOR_SIGNATURE]);
  });

  it('keeps a private value with the collection members and its hash with everybody', async () => {
    assert.deepEqual(await world.commit([careWrite('record', SECRET).envelope]), [VALID]);
    const snapshot = world.ledger.chain.snapshot();
    const read = (member: string): string | undefined =>
      snapshot.private(world.mspId(member), world.chaincode, 'care', 'record')?.value.toString();
    for (const member of ['stmary', 'northside', 'authority']) assert.equal(read(member), SECRET, member);
    for (const member of ['acme', 'meridian', 'medisure', 'tally']) assert.equal(read(member), undefined, member);
    const hash = createHash('sha256').update('record').digest();
    const hashed = snapshot.hashed(world.chaincode, 'care', hash);
    snapshot.release();
    assert.deepEqual(hashed?.valueHash, createHash('sha256').update(SECRET).digest());
    const outsiders = ['acme', 'meridian', 'medisure', 'tally'].map((member) =>
      join(world.stateDir, 'members', member, 'ledger', 'private.db'),
    );
    for (const file of [join(world.stateDir, 'ledger', 'ledger.db'), ...outsiders]) {
      for (const part of [file, `${file}-wal`]) assert.equal(readFileSync(part).includes(SECRET), false, part);
    }
  });

  it('takes a purged value out of state and out of the delivery of old blocks', async () => {
    const erased = 'a value that must be erased';
    await world.commit([careWrite('purged', erased).envelope]);
    const block = world.ledger.chain.height - 1;
    const mspId = world.mspId('northside');
    const delivered = () => world.ledger.chain.privateData(mspId, block).get(0)?.includes(erased);
    assert.equal(delivered(), true);
    const [seenBefore, purge] = [world.ledger.chain.snapshot(), careWrite('purged', '', true)];
    assert.deepEqual(await world.commit([purge.envelope]), [VALID]);
    assert.equal(delivered(), false);
    assert.equal(seenBefore.private(mspId, world.chaincode, 'care', 'purged')?.value.toString(), erased);
    seenBefore.release();
    const snapshot = world.ledger.chain.snapshot();
    assert.equal(snapshot.private(mspId, world.chaincode, 'care', 'purged'), undefined);
    snapshot.release();
    for (const member of ['stmary', 'northside', 'authority']) {
      const file = join(world.stateDir, 'members', member, 'ledger', 'private.db');
      for (const part of [file, `${file}-wal`]) assert.equal(readFileSync(part).includes(erased), false, part);
    }
  });

  it('lets a snapshot see its height while later blocks commit', async () => {
    await world.commit([put('seen', 'old').envelope, careWrite('seen', 'old').envelope]);
    const snapshot = world.ledger.chain.snapshot();
    await world.commit([put('seen', 'new').envelope, careWrite('seen', 'new').envelope]);
    await world.commit([put('seen', 'newer').envelope, careWrite('seen', 'newer').envelope]);
    assert.equal(snapshot.state(world.chaincode, 'seen')?.value.toString(), 'old');
    const held = snapshot.private(world.mspId('stmary'), world.chaincode, 'care', 'seen');
    assert.equal(held?.value.toString(), 'old');
    snapshot.release();
    assert.throws(() => snapshot.state(world.chaincode, 'seen'), /released/);
  });

  it('tells the history of a key newest first, valid writes only', async () => {
    await world.commit([put('told', 'one').envelope, put('told', 'refused', ['acme']).envelope]);
    await world.commit([put('told', '').envelope]);
    const snapshot = world.ledger.chain.snapshot();
    const history = [...snapshot.history(world.chaincode, 'told')];
    snapshot.release();
    assert.deepEqual(
      history.map(({ value, isDelete }) => [value.toString(), isDelete]),
      [
        ['', true],
        ['one', false],
      ],
    );
  });

  it('refuses a block that does not follow, or that no orderer signed', async () => {
    const envelope = put('x', 'x').envelope;
    const next = world.block([envelope]);
    await world.commit([put('y', 'y').envelope]);
    await assert.rejects(world.ledger.committer.commit(next), /came where block \d+ was due/);
    const forged = world.block([envelope], world.peer('acme'));
    await assert.rejects(world.ledger.committer.commit(forged), /not signed as .*BlockValidation/);
    assert.deepEqual(await world.commit([envelope]), [VALID]);
  });

  it('refuses to open a chain whose newest block was changed', async () => {
    const { height } = world.ledger.chain;
    await world.reopen();
    assert.equal(world.ledger.chain.height, height);
    const file = join(world.stateDir, 'ledger', 'ledger.db');
    const change = (commitHash: Uint8Array): void => {
      const db = new DatabaseSync(file);
      db.prepare('UPDATE block SET commit_hash = ? WHERE number = ?').run(commitHash, height - 1);
      db.close();
    };
    world.ledger.close();
    const db = new DatabaseSync(file);
    const kept = db.prepare('SELECT commit_hash FROM block WHERE number = ?').get(height - 1)
      ?.commit_hash as Uint8Array;
    db.close();
    change(Buffer.alloc(32));
    await assert.rejects(LedgerWorld.open(world.stateDir), /ledger\.db: the commit hash of block \d+ .*salus reset/);
    change(kept);
    world.ledger = (await LedgerWorld.open(world.stateDir)).ledger;
    assert.deepEqual(await world.commit([put('after', 'x').envelope]), [VALID]);
  });
});
