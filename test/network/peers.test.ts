import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { EndorseError } from '@hyperledger/fabric-gateway';
import { peer } from '@hyperledger/fabric-protos';
import { establish } from '@salus/network/fabric/establish';
import { type TestClient } from '../support/embedded-network.js';
import { eventually } from '../support/eventually.js';
import { programsOrPending, startTestFabric, type TestFabric } from '../support/fabric-network.js';

const HOSPITALS = { stmary: 3, northside: 3 };
const OWN = 'of-stmary';
const WRITES = 20;

/** What the endorsing peer says: it knows of nobody to give the value to, or nobody has acknowledged it. */
const UNDISTRIBUTED =
  /failed to distribute private collection.*(required to disseminate to at least 1 peers, but know of only 0|Failed disseminating)/;

// Whom a copy goes to is drawn among the peers that gossip takes for alive, for up to ten seconds the dead one, too. A draw of it costs the
// three seconds of an acknowledgement; where each endorser that the peer's gateway tries draws it, the write is refused and made again.
const operation = (...operations: string[][]) => ['run', JSON.stringify(operations)] as const;

describe('three peers at each hospital on Fabric', function () {
  this.timeout(300_000);
  let fabric: TestFabric;

  before(async function () {
    fabric = await startTestFabric(await programsOrPending(this), { overrides: { peers: HOSPITALS } });
  });
  after(async () => {
    await (fabric as TestFabric | undefined)?.stop();
  });

  async function store({ contract }: TestClient, key: string): Promise<void> {
    const [name, args] = operation(['privateStore', OWN, key, 'value']);
    await contract.submit(name, { arguments: [args], transientData: { value: `kept ${key}` } });
  }

  async function holds({ contract }: TestClient, key: string): Promise<void> {
    await eventually(async () => {
      const value = Buffer.from(await contract.evaluateTransaction(...operation(['privateGet', OWN, key]))).toString();
      assert.equal(value, JSON.stringify([`kept ${key}`]));
    });
  }

  it('have what a hospital keeps to itself at one more peer before it is endorsed, at all of them if they are there', () => {
    const { definition } = fabric.prepared;
    const configs = peer.CollectionConfigPackage.deserializeBinary(definition.collections).getConfigList();
    const own = configs
      .map((config) => config.getStaticCollectionConfig()!)
      .find((config) => config.getName() === OWN)!;
    assert.equal(own.getRequiredPeerCount(), 1);
    assert.equal(own.getMaximumPeerCount(), 2);
  });

  it('take every write while one of them is away, and each value is at the other', async () => {
    await fabric.network.signal('peer2.stmary', 'SIGKILL');
    const writer = fabric.client({ member: 'stmary' });
    const other = fabric.client({ member: 'stmary', peer: 'peer1' });
    const keys = Array.from({ length: WRITES }, (_, index) => `key${index}`);
    for (const key of keys) await eventually(() => store(writer, key));
    for (const key of keys) await holds(other, key);
  });

  it('bring the one that was away what it missed', async () => {
    await fabric.network.restart('peer2.stmary');
    await holds(fabric.client({ member: 'stmary', peer: 'peer2' }), `key${WRITES - 1}`);
  });

  describe('when a value is purged while one of them is away', () => {
    const nothing = JSON.stringify(['']);
    const purged = async (peer: string): Promise<string> =>
      Buffer.from(
        await fabric
          .client({ member: 'stmary', peer })
          .contract.evaluateTransaction(...operation(['privateGet', OWN, 'erased'])),
      ).toString();

    before(async () => {
      const writer = fabric.client({ member: 'stmary' });
      // Two that were killed came back just before: until others are known again, nothing is endorsed.
      await eventually(() => store(writer, 'erased'));
      for (const peer of ['peer1', 'peer2']) await holds(fabric.client({ member: 'stmary', peer }), 'erased');
      await fabric.network.signal('peer2.stmary', 'SIGKILL');
      await eventually(() => writer.contract.submitTransaction(...operation(['privatePurge', OWN, 'erased'])));
      await eventually(() => store(writer, 'after'));
    });

    it('leave it nowhere, also at the one that comes back', async () => {
      await fabric.network.restart('peer2.stmary');
      await holds(fabric.client({ member: 'stmary', peer: 'peer2' }), 'after');
      assert.deepEqual(await Promise.all(['peer0', 'peer1', 'peer2'].map(purged)), [nothing, nothing, nothing]);
    });

    it('give it to none that joins later, but all the rest', async () => {
      await fabric.network.signal('peer2.stmary', 'SIGKILL');
      rmSync(join(fabric.prepared.stateDir, 'members', 'stmary', 'ledger', 'peer2'), { recursive: true });
      await fabric.network.restart('peer2.stmary');
      await establish(fabric.prepared.stateDir, () => undefined);
      const newcomer = fabric.client({ member: 'stmary', peer: 'peer2' });
      for (const key of ['key0', 'after']) await holds(newcomer, key);
      assert.equal(await purged('peer2'), nothing);
    });
  });

  it('endorse nothing that no other peer would have', async () => {
    for (const name of ['peer1.stmary', 'peer2.stmary']) await fabric.network.signal(name, 'SIGKILL');
    const writer = fabric.client({ member: 'stmary' });
    await assert.rejects(store(writer, 'alone'), (error) => {
      assert.ok(error instanceof EndorseError, String(error));
      assert.match(error.details.map(({ message }) => message).join(), UNDISTRIBUTED);
      return true;
    });
    // It is for the value's sake alone: what is public the same peer endorses.
    await writer.contract.submitTransaction(...operation(['put', 'pack', 'genuine']));
    await fabric.network.restart('peer1.stmary');
    await fabric.network.restart('peer2.stmary');
  });
});
