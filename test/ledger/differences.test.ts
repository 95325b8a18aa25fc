/**
 * What a client can see to differ between the engines, each on the one it runs on: the list is in
 * docs/embedded-ledger.md. The rest of it is what the embedded ledger refuses (conformance/embedded-refusals).
 */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { prepareState, type PreparedState } from '@salus/network/prepare';
import type { CollectionTemplate } from '@salus/network/config/collections';
import { privateWritesOf } from '../support/block-reader.js';
import {
  gatewayIdentity,
  prepareTestState,
  startTestLedger,
  TEST_COLLECTIONS,
  type ClientWish,
  type TestClient,
} from '../support/embedded-network.js';
import { engineName } from '../support/engine.js';
import { findTestPrograms, startTestFabric, type TestFabric } from '../support/fabric-network.js';
import { endorse, evaluate, submit } from '../support/ledger-calls.js';
import { signerFrom } from '../support/proposal.js';
import { RawClient } from '../support/raw-client.js';
import { scratchFolder } from '../support/scratch.js';
import { blockSigner, newestOfOrderer } from '../support/seek.js';

/** Held by hospitals and the witness, until it is the witness's alone. */
const SHARED: CollectionTemplate = { name: 'shared', members: ['hospital', 'witness'], endorsers: 1 };
const NARROWED: CollectionTemplate = { ...SHARED, members: ['witness'] };
const OLD: [string, string, string] = ['shared', 'old', 'of both'];
/** A majority of members, which tally is not needed for. */
const OTHERS = ['StmaryMSP', 'NorthsideMSP', 'AcmeMSP', 'AuthorityMSP'];
/** So many blocks a peer is behind that it cannot have them all in the time of one call. */
const BLOCKS_BEHIND = 150;
/** How long what must come may take, milliseconds. */
const PATIENCE_MS = 60_000;

interface Running {
  client(wish: ClientWish): TestClient;
  stop(): Promise<void>;
}

describe(`what differs between the engines, on ${engineName}`, function () {
  this.timeout(300_000);
  let prepared: PreparedState;
  let running: Running | undefined;

  async function start(): Promise<Running> {
    running =
      engineName === 'fabric'
        ? await startTestFabric(await findTestPrograms(), { prepared })
        : await startTestLedger({ prepared });
    return running;
  }
  const client = (wish: ClientWish): TestClient => (running ?? assert.fail('nothing runs')).client(wish);

  before(async () => {
    prepared = await prepareTestState({
      overrides: { peers: { stmary: 2 } },
      collections: [...TEST_COLLECTIONS, SHARED],
    });
    await start();
  });
  after(async () => {
    await running?.stop();
    rmSync(prepared.stateDir, { recursive: true, force: true });
  });

  /** MSPs whose orderers signed the newest block, as each orderer hands it out; the last word is that all have it. */
  async function signersOfNewest(): Promise<string[]> {
    const by = signerFrom(gatewayIdentity(prepared, 'stmary'));
    const { blockNumber } = await submit(client({ member: 'stmary' }), [['put', 'signed', 'x']]);
    const ordering = prepared.topology.members.filter(({ orderer }) => orderer !== undefined);
    return Promise.all(
      ordering.map(async ({ name }) => {
        const raw = new RawClient(prepared, 'stmary', name);
        try {
          for (const end = Date.now() + PATIENCE_MS; ;) {
            const block = await newestOfOrderer(raw, by);
            if (BigInt(block.getHeader()!.getNumber()) >= blockNumber) return blockSigner(block).getMspid();
            assert.ok(Date.now() < end, `the orderer of ${name} did not get block ${blockNumber}`);
            await sleep(50);
          }
        } finally {
          raw.close();
        }
      }),
    );
  }

  /** Writes a value for hospitals and witness, leaves it to the witness alone, and gives what stmary gets of its block. */
  async function deliveredAfterChange(): Promise<[string, string, string][]> {
    const { blockNumber } = await submit(client({ member: 'stmary' }), [['privatePut', ...OLD]]);
    assert.deepEqual(await privateWritesOf(client({ member: 'stmary' }), blockNumber), [OLD]);
    await running?.stop();
    running = undefined;
    const { topology, stateDir } = prepared;
    prepared = await prepareState(topology, stateDir, { collections: [...TEST_COLLECTIONS, NARROWED] });
    await start();
    const stmary = client({ member: 'stmary' });
    const refused = /tx creator does not have read access permission/;
    await assert.rejects(evaluate(stmary, [['privateGet', 'shared', 'old']]), refused, 'the new rules are in force');
    assert.deepEqual(await privateWritesOf(client({ member: 'authority' }), blockNumber), [OLD]);
    return privateWritesOf(stmary, blockNumber);
  }

  if (engineName === 'embedded') {
    it('no peer is behind another, and no member lacks a private value, once a commit is known', async () => {
      const writer = client({ member: 'stmary' });
      const peers = [...prepared.topology.members.map(({ name }) => ({ member: name })), second];
      const readers = peers.map((wish) => client(wish));
      const holders = ['northside', 'authority'].map((member) => client({ member }));
      for (let round = 0; round < 20; round += 1) {
        const value = `round ${round}`;
        await submit(writer, [['put', 'tip', value]]);
        const seen = await Promise.all(readers.map((reader) => evaluate(reader, [['get', 'tip']])));
        assert.deepEqual(
          seen,
          peers.map(() => [value]),
        );
        await submit(writer, [['privatePut', 'shared', 'tip', value]]);
        const held = await Promise.all(holders.map((holder) => evaluate(holder, [['privateGet', 'shared', 'tip']])));
        assert.deepEqual(
          held,
          holders.map(() => [value]),
        );
      }
    });

    it('a member’s Fabric CA is not asked', async () => {
      const { topology } = prepared;
      const nobody = { url: 'https://127.0.0.1:1', name: '', files: { tlsRoot: '/nowhere', registrar: '/nowhere' } };
      const [first, ...rest] = topology.members;
      const served = { ...topology, members: [{ ...first!, fabricCa: nobody }, ...rest] };
      const folder = scratchFolder();
      try {
        await assert.rejects(prepareState(served, join(folder.path, 'fabric'), { engine: 'fabric' }), /nowhere/);
        await prepareState(served, join(folder.path, 'embedded'), { engine: 'embedded' });
      } finally {
        folder.remove();
      }
    });

    it('one orderer signs every block, whichever port it is asked at', async () => {
      const [first] = prepared.topology.members.filter(({ orderer }) => orderer !== undefined);
      const { mspId } = prepared.material.members.find(({ name }) => name === first!.name)!.orderer!;
      assert.deepEqual(await signersOfNewest(), [mspId, mspId, mspId]);
    });

    it('a private value of an old block is delivered by the collection’s rules of today', async () => {
      assert.deepEqual(await deliveredAfterChange(), []);
    });
  } else {
    it('a peer that was away answers from its own height until it has caught up', async () => {
      const { network } = running as TestFabric;
      const [writer, tally] = [client({ member: 'stmary' }), client({ member: 'tally' })];
      await submit(writer, [['put', 'tip', 'before']]);
      await untilRead(tally, 'tip', 'before');
      await network.signal('peer0.tally', 'SIGSTOP');
      for (let index = 1; index <= BLOCKS_BEHIND; index += 1) {
        // Nobody waits for tally: those who endorse are named.
        const transaction = await endorse(writer, [['put', 'tip', String(index)]], { endorsingOrganizations: OTHERS });
        assert.equal((await (await transaction.submit()).getStatus()).successful, true);
      }
      // It lies in the peer's socket when the peer goes on, before the blocks that it has yet to ask for.
      const asked = evaluate(tally, [['get', 'tip']]);
      await sleep(200);
      await network.signal('peer0.tally', 'SIGCONT');
      const [seen] = await asked;
      assert.notEqual(seen, String(BLOCKS_BEHIND));
      await untilRead(tally, 'tip', String(BLOCKS_BEHIND));
    });

    it('every orderer signs the blocks that it hands out', async () => {
      const signers = await signersOfNewest();
      const own = prepared.material.members.flatMap(({ orderer }) => (orderer ? [orderer.mspId] : []));
      assert.deepEqual(signers, own);
    });

    it('a private value of an old block is delivered by the collection’s rules as they were then', async () => {
      assert.deepEqual(await deliveredAfterChange(), [OLD]);
    });
  }
});

const second: ClientWish = { member: 'stmary', peer: 'peer1' };

async function untilRead(reader: TestClient, key: string, value: string): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const [seen] = await evaluate(reader, [['get', key]]);
    if (seen === value) return;
    assert.ok(Date.now() < end, `${key} is still ${String(seen)}`);
    await sleep(50);
  }
}
