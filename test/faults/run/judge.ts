/** Judges a run: the history that clients kept against what the ledger's peers and the gateways hold. */
import { createHash } from 'node:crypto';
import { common } from '@hyperledger/fabric-protos';
import { blocksUpTo } from '../../support/block-reader.js';
import { salus } from '../../support/command.js';
import { connectClient } from '../../support/embedded-network.js';
import { runningChannel } from '@salus/network/fabric/reconfigure';
import type { FaultyConsortium } from './consortium.js';
import type { Write, Writer } from './writer.js';

const { TRANSACTIONS_FILTER, COMMIT_HASH } = common.BlockMetadataIndex;
const PAGE = 1000;

/** One count for each way in which a run may be wrong; all zero is a pass. */
export type Verdict = Readonly<Record<string, number>>;

/** Reads everything back and counts. */
export async function judge(consortium: FaultyConsortium, writers: readonly Writer[]): Promise<Verdict> {
  const counts = { lost: 0, twice: 0, refusedButThere: 0, open: 0 };
  for (const writer of writers) {
    const found = await valuesOf(consortium, writer);
    for (const write of writer.history) count(counts, write, found.get(write.value) ?? 0);
  }
  return {
    'acknowledged and lost': counts.lost,
    'written twice': counts.twice,
    'refused, yet there': counts.refusedButThere,
    'neither acknowledged nor refused': counts.open,
    'peers with other blocks, flags or commit hashes': await differentPeers(consortium),
    'projections unlike their rebuild': await differentProjections(consortium),
  };
}

function count(
  counts: { lost: number; twice: number; refusedButThere: number; open: number },
  write: Write,
  times: number,
) {
  if (write.told === 'open') counts.open += 1;
  if (times > 1) counts.twice += 1;
  if (write.told === 'acknowledged' && times === 0) counts.lost += 1;
  if (write.told === 'refused' && times > 0) counts.refusedButThere += 1;
}

/** How often each value is there. */
async function valuesOf(consortium: FaultyConsortium, writer: Writer): Promise<Map<number, number>> {
  const [base = ''] = consortium.urlsOf(writer.member);
  const headers = { authorization: `Bearer ${await consortium.token(writer.member)}` };
  const times = new Map<number, number>();
  let next: string | undefined = `${base}/fhir/R4/Observation?patient=${writer.patient}&_count=${PAGE}`;
  while (next !== undefined) {
    const page = (await (await fetch(next, { headers })).json()) as {
      entry?: { resource: { valueQuantity: { value: number } } }[];
      link: { relation: string; url: string }[];
    };
    for (const { resource } of page.entry ?? []) {
      const { value } = resource.valueQuantity;
      times.set(value, (times.get(value) ?? 0) + 1);
    }
    next = page.link.find(({ relation }) => relation === 'next')?.url;
  }
  return times;
}

/** Peers whose chain differs from the first one's, up to the least height. */
async function differentPeers({ prepared }: FaultyConsortium): Promise<number> {
  const { channel, peers } = runningChannel(prepared.stateDir);
  const heights = await Promise.all(peers.map((admin) => admin.height(channel)));
  const newest = BigInt(Math.min(...heights) - 1);
  const chains = new Set<string>();
  for (const { name } of prepared.topology.members) {
    const client = connectClient(prepared, { member: name });
    chains.add((await blocksUpTo(client, newest)).map(judgedPart).join());
    client.close();
  }
  return chains.size - 1;
}

function judgedPart(block: common.Block): string {
  const metadata = block.getMetadata()!.getMetadataList_asU8();
  const data = createHash('sha256').update(Buffer.concat(block.getData()!.getDataList_asU8())).digest('hex');
  const hex = (index: number) => Buffer.from(metadata[index] ?? []).toString('hex');
  return [data, hex(TRANSACTIONS_FILTER), hex(COMMIT_HASH)].join('/');
}

async function differentProjections({ prepared }: FaultyConsortium): Promise<number> {
  let different = 0;
  for (const member of ['stmary', 'northside']) {
    if ((await salus(prepared.stateDir, ['rebuild', '--member', member])).code !== 0) different += 1;
  }
  return different;
}
