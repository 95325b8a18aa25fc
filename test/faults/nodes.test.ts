/** Single nodes of a native Fabric network fail under load; a history of every write is judged by the peers' blocks. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { EndorseError } from '@hyperledger/fabric-gateway';
import { common } from '@hyperledger/fabric-protos';
import { campaign } from '../support/campaigns.js';
import { take, type TestClient } from '../support/embedded-network.js';
import { programsOrPending, startTestFabric, type TestFabric } from '../support/fabric-network.js';

const { TRANSACTIONS_FILTER, COMMIT_HASH } = common.BlockMetadataIndex;
const WRITERS = ['stmary', 'northside', 'acme', 'tally'];
const HALT_MS = 10_000;
const VALID = 0;

/** What a client was told of one transaction. */
interface Answer {
  readonly txId: string;
  readonly told: 'committed' | 'failed' | 'unknown';
}

/** Writes until told to stop, and keeps what it was told. */
class Writer {
  readonly history: Answer[] = [];
  private stopped = false;
  private readonly running: Promise<void>;

  constructor(
    private readonly name: string,
    private readonly client: TestClient,
  ) {
    this.running = this.write();
  }

  stop(): Promise<void> {
    this.stopped = true;
    return this.running;
  }

  private async write(): Promise<void> {
    for (let number = 0; !this.stopped; number += 1) {
      const operations = JSON.stringify([['put', `${this.name}${number}`, String(number)]]);
      const proposal = this.client.contract.newProposal('run', { arguments: [operations] });
      const txId = proposal.getTransactionId();
      this.history.push({ txId, told: await outcome(() => proposal.endorse()) });
      await sleep(50);
    }
  }
}

type Endorsed = Awaited<ReturnType<ReturnType<TestClient['contract']['newProposal']>['endorse']>>;

/** Before it was sent for ordering nothing can have happened; afterwards only the status of the commit tells. */
async function outcome(endorse: () => Promise<Endorsed>): Promise<Answer['told']> {
  try {
    const commit = await (await endorse()).submit();
    return (await commit.getStatus()).successful ? 'committed' : 'failed';
  } catch (error) {
    return error instanceof EndorseError ? 'failed' : 'unknown';
  }
}

describe('single nodes of a Fabric network fail under load', function () {
  const rounds = campaign('nodes').size({ slice: 1, full: 10 });
  this.timeout(180_000 * rounds);
  const random = campaign('nodes').random();
  let fabric: TestFabric;
  let writers: Writer[];

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
    const valid = validOf(await blocksOf('tally'));
    const history = writers.flatMap((writer) => writer.history);
    const told = (answer: Answer['told']) => history.filter((each) => each.told === answer).map(({ txId }) => txId);
    assert.ok(told('committed').length > 100, `only ${told('committed').length} writes were acknowledged`);
    assert.deepEqual(
      told('committed').filter((txId) => !valid.includes(txId)),
      [],
    );
    assert.deepEqual(
      told('failed').filter((txId) => valid.includes(txId)),
      [],
    );
    assert.equal(new Set(valid).size, valid.length);
  });

  it('left every peer with the same blocks, flags and commit hashes', async () => {
    const [first, ...others] = await Promise.all(fabric.prepared.topology.members.map(({ name }) => blocksOf(name)));
    for (const blocks of others) assert.deepEqual(blocks.map(judged), first!.map(judged));
  });

  /** All blocks up to the one that a last transaction is in. */
  async function blocksOf(member: string): Promise<common.Block[]> {
    last ??= fabric
      .client({ member: 'tally' })
      .contract.submitAsync('run', { arguments: [JSON.stringify([['put', 'last', 'one']])] })
      .then((sent) => sent.getStatus())
      .then(({ blockNumber }) => Number(blockNumber));
    const count = (await last) + 1;
    return take(await fabric.client({ member }).network.getBlockEvents({ startBlock: 0n }), count);
  }
  let last: Promise<number> | undefined;
});

async function inTurn(names: readonly string[], act: (name: string) => Promise<void>): Promise<void> {
  for (const name of names) await act(name);
}

/** Resolves when the writer has another write acknowledged. */
async function goesOn(writer: Writer): Promise<void> {
  const known = writer.history.length;
  while (!writer.history.slice(known).some(({ told }) => told === 'committed')) await sleep(100);
}

function judged(block: common.Block): object {
  const metadata = block.getMetadata()!.getMetadataList_asU8();
  const data = createHash('sha256').update(Buffer.concat(block.getData()!.getDataList_asU8())).digest('hex');
  const hex = (index: number) => Buffer.from(metadata[index] ?? []).toString('hex');
  return { data, flags: hex(TRANSACTIONS_FILTER), commitHash: hex(COMMIT_HASH) };
}

/** Ids of the valid transactions, once for each time they are valid. */
function validOf(blocks: readonly common.Block[]): string[] {
  return blocks.flatMap((block) => {
    const flags = block.getMetadata()!.getMetadataList_asU8()[TRANSACTIONS_FILTER]!;
    return block
      .getData()!
      .getDataList_asU8()
      .map(txIdOf)
      .filter((_, index) => flags[index] === VALID);
  });
}

function txIdOf(envelope: Uint8Array): string {
  const payload = common.Payload.deserializeBinary(common.Envelope.deserializeBinary(envelope).getPayload_asU8());
  return common.ChannelHeader.deserializeBinary(payload.getHeader()!.getChannelHeader_asU8()).getTxId();
}
