import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { common } from '@hyperledger/fabric-protos';
import { ledgerFiles } from '@salus/network/embedded/ledger';
import type { StateValue } from '@salus/network/embedded/ports';
import { PrivateStore } from '@salus/network/embedded/store/private-store';
import { readWriteSetsOf } from '@salus/network/embedded/validation/envelope';
import { readNetwork } from '@salus/network/prepare';
import { LedgerWorld } from '../../support/ledger-world.js';

const PROGRAM = fileURLToPath(new URL('../../support/programs/commit-until-killed.js', import.meta.url));
const ROUNDS = 4;

interface Acknowledged {
  readonly block: number;
  readonly keys: readonly string[];
}

/** Runs the program until it acknowledged some blocks, then kills it at an arbitrary moment. */
async function acknowledgedUntilKilled(stateDir: string, blocks: number, delay: number): Promise<Acknowledged[]> {
  const child = spawn(process.execPath, [PROGRAM, stateDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  const found: Acknowledged[] = [];
  for await (const line of createInterface(child.stdout)) {
    found.push(JSON.parse(line) as Acknowledged);
    if (found.length !== blocks) continue;
    await setTimeout(delay);
    child.kill('SIGKILL');
  }
  const [code, signal] = (await exit) as [number | null, string | null];
  assert.equal(signal, 'SIGKILL', `the program ended with ${String(code)}`);
  return found;
}

/** Every public key that the stored blocks write. */
function keysInBlocks(world: LedgerWorld): string[] {
  const { chain } = world.ledger;
  return Array.from({ length: chain.height - 2 }, (_, index) => chain.block(index + 2)!).flatMap((bytes) =>
    common.Block.deserializeBinary(bytes)
      .getData()!
      .getDataList_asU8()
      .flatMap((envelope) => readWriteSetsOf(Buffer.from(envelope)))
      .flatMap((set) => set.public.getWritesList().map((write) => write.getKey())),
  );
}

describe('the embedded ledger after its process was killed', function () {
  this.timeout(180_000);
  let world: LedgerWorld;

  before(async () => {
    world = await LedgerWorld.create();
  });
  after(() => {
    world.destroy();
  });

  it('holds every acknowledged block, and of no block a half', async () => {
    const acknowledged: Acknowledged[] = [];
    for (let round = 1; round <= ROUNDS; round += 1) {
      world.ledger.close();
      acknowledged.push(...(await acknowledgedUntilKilled(world.stateDir, 2 * round, 7 * round)));
      world.ledger = (await LedgerWorld.open(world.stateDir)).ledger;
      assert.ok(world.ledger.chain.height > acknowledged.at(-1)!.block);
    }
    const snapshot = world.ledger.chain.snapshot();
    const inBlocks = keysInBlocks(world);
    for (const { keys } of acknowledged) for (const key of keys) assert.ok(inBlocks.includes(key));
    for (const key of inBlocks) {
      assert.equal(snapshot.state(world.chaincode, key)?.value.toString(), key);
      const held = snapshot.private(world.mspId('northside'), world.chaincode, 'care', key);
      assert.equal(held?.value.toString(), key);
      const hash = createHash('sha256').update(key).digest();
      assert.deepEqual(snapshot.hashed(world.chaincode, 'care', hash)?.version, held.version);
    }
    snapshot.release();
  });

  it('drops private rows of a block that was never committed, and keeps what they would have replaced', async () => {
    const write = (value: string): Buffer => {
      const made = world.transaction({
        endorsers: ['stmary', 'northside'],
        effect: (sets, chaincode) => {
          sets.privateWrite(chaincode, 'care', 'kept', Buffer.from(value));
        },
      });
      world.ledger.transient.put(world.mspId('stmary'), made.txId, made.privateSet!, world.ledger.chain.height);
      return made.envelope;
    };
    await world.commit([write('old')]);
    const { height } = world.ledger.chain;
    world.ledger.close();
    const files = ledgerFiles(world.stateDir, readNetwork(world.stateDir).material.members);
    const store = new PrivateStore(files.private(world.mspId('stmary')));
    const key = Buffer.from('kept');
    const at = {
      namespace: world.chaincode,
      collection: 'care',
      key,
      keyHash: createHash('sha256').update(key).digest(),
    };
    const values = [{ ...at, tx: 0, value: Buffer.from('lost') }];
    await store.write({ number: height, values, parts: [], purges: [], hidden: [] });
    assert.equal(store.value(world.chaincode, 'care', 'kept', height + 1)?.value.toString(), 'lost');
    store.close();
    world.ledger = (await LedgerWorld.open(world.stateDir)).ledger;
    const held = (): StateValue | undefined => {
      const snapshot = world.ledger.chain.snapshot();
      const value = snapshot.private(world.mspId('stmary'), world.chaincode, 'care', 'kept');
      snapshot.release();
      return value;
    };
    assert.equal(held()?.value.toString(), 'old');
    await world.commit([write('new')]);
    assert.equal(held()?.value.toString(), 'new');
    assert.equal(held()?.version.block, height);
  });
});
