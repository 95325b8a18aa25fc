/** Single nodes of a native Fabric network fail under load; a history of every write is judged by the peers' blocks. */
import { setTimeout as sleep } from 'node:timers/promises';
import { campaign } from '../support/campaigns.js';
import { programsOrPending, startTestFabric, type TestFabric } from '../support/fabric-network.js';
import { assertHistory, assertSameChains, Ending, goesOn, Writer } from '../support/ledger-writers.js';

const WRITERS = ['stmary', 'northside', 'acme', 'tally'];
const HALT_MS = 10_000;

describe('single nodes of a Fabric network fail under load', function () {
  const rounds = campaign('nodes').size({ slice: 1, full: 10 });
  this.timeout(180_000 * rounds);
  const random = campaign('nodes').random();
  let fabric: TestFabric;
  let writers: Writer[];
  let ending: Ending;

  before(async function () {
    fabric = await startTestFabric(await programsOrPending(this));
    writers = WRITERS.map((member) => new Writer(member, fabric.client({ member })));
  });
  after(async () => {
    await (fabric as TestFabric | undefined)?.stop();
  });

  const kill = async (name: string) => {
    await fabric.network.signal(name, 'SIGKILL');
    await sleep(1_000 + random() * 2_000);
    await fabric.network.restart(name);
    await sleep(random() * 3_000);
  };
  const halt = async (name: string) => {
    process.kill(fabric.network.pids.get(name)!, 'SIGSTOP');
    await sleep(HALT_MS);
    process.kill(fabric.network.pids.get(name)!, 'SIGCONT');
  };
  const faults: readonly (readonly [string, () => Promise<void>])[] = [
    // One of the three leads, whichever it is at the moment.
    ['each orderer killed in turn', () => inTurn(['stmary', 'acme', 'authority'], (name) => kill(`orderer.${name}`))],
    ['a peer killed', () => kill('peer0.northside')],
    ['the peer of a writer and of an orderer halted', () => halt('peer0.stmary')],
    ['an orderer halted', () => halt('orderer.authority')],
    ['a chaincode killed', () => kill('chaincode.acme')],
  ];
  for (const [what, inject] of faults) {
    it(`${what}: writes go on afterwards`, async () => {
      for (let round = 0; round < rounds; round += 1) await inject();
      for (const writer of writers) await goesOn(writer);
    });
  }

  it('lost nothing acknowledged, did nothing twice, committed nothing that was answered failed', async () => {
    for (const writer of writers) await writer.stop();
    ending = new Ending((member) => fabric.client({ member }));
    assertHistory(
      writers.flatMap((writer) => writer.history),
      await ending.blocksOf('tally'),
    );
  });

  it('left every peer with the same blocks, flags and commit hashes', async () => {
    const { members } = fabric.prepared.topology;
    assertSameChains(await Promise.all(members.map(({ name }) => ending.blocksOf(name))));
  });
});

async function inTurn(names: readonly string[], act: (name: string) => Promise<void>): Promise<void> {
  for (const name of names) await act(name);
}
