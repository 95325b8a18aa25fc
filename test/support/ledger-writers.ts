/** Clients that write to a ledger under test and keep what they were told, and what the ledger's blocks say to that. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { EndorseError } from '@hyperledger/fabric-gateway';
import { common } from '@hyperledger/fabric-protos';
import { take, type TestClient } from './embedded-network.js';

const { TRANSACTIONS_FILTER, COMMIT_HASH } = common.BlockMetadataIndex;
const VALID = 0;

/** What a client was told of one transaction. */
interface Answer {
  readonly txId: string;
  readonly told: 'committed' | 'failed' | 'unknown';
}

/** Writes until told to stop, and keeps what it was told. */
export class Writer {
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

/** Resolves when the writer has another write acknowledged. */
export async function goesOn(writer: Writer): Promise<void> {
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

/** Nothing acknowledged is lost, nothing happened twice, and nothing answered failed was committed. */
export function assertHistory(history: readonly Answer[], blocks: readonly common.Block[]): void {
  const valid = validOf(blocks);
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
}

/** All members' peers have the same blocks, flags and commit hashes. */
export function assertSameChains([first, ...others]: readonly (readonly common.Block[])[]): void {
  for (const blocks of others) assert.deepEqual(blocks.map(judged), first!.map(judged));
}

/** All blocks up to the one that a last transaction, written now, is in: the first of a run counts for all that ask later. */
export class Ending {
  private readonly count: Promise<number>;

  constructor(private readonly client: (member: string) => TestClient) {
    this.count = client('tally')
      .contract.submitAsync('run', { arguments: [JSON.stringify([['put', 'last', 'one']])] })
      .then((sent) => sent.getStatus())
      .then(({ blockNumber }) => Number(blockNumber) + 1);
  }

  async blocksOf(member: string): Promise<common.Block[]> {
    return take(await this.client(member).network.getBlockEvents({ startBlock: 0n }), await this.count);
  }
}
