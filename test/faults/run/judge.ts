/** Judges a run: the history that clients kept against what the ledger's peers and the gateways hold. */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { common } from '@hyperledger/fabric-protos';
import { runningChannel } from '@salus/network/fabric/reconfigure';
import { blocksUpTo } from '../../support/block-reader.js';
import { salus } from '../../support/command.js';
import { connectClient } from '../../support/embedded-network.js';
import { until } from './acts.js';
import type { FaultyConsortium } from './consortium.js';
import { openCalls } from './outboxes.js';
import type { Reader } from './reader.js';
import { unanchoredReads, unrecordedReads } from './records.js';
import { searched } from './searched.js';
import type { Write, Writer } from './writer.js';

const { TRANSACTIONS_FILTER, COMMIT_HASH } = common.BlockMetadataIndex;
const HOSPITALS = ['stmary', 'northside'];
/** How long everything may take to have caught up after the last fault, milliseconds. */
const SETTLE_MS = 120_000;

/** One count for each way in which a run may be wrong; all zero is a pass. */
export type Verdict = Readonly<Record<string, number>>;

/** Reads everything back and counts. */
export async function judge(
  consortium: FaultyConsortium,
  writers: readonly Writer[],
  reader: Reader,
): Promise<Verdict> {
  const counts = { lost: 0, twice: 0, elsewhere: 0, refusedButThere: 0, open: 0 };
  await until(() => openIn(consortium) === 0, SETTLE_MS);
  await until(() => unanchoredReads(consortium, HOSPITALS) === 0, SETTLE_MS);
  // Before the judge's own reads come to it.
  const unanchored = unanchoredReads(consortium, HOSPITALS);
  for (const writer of writers) {
    const found = await valuesOf(consortium, writer);
    for (const write of writer.history) count(counts, write, found.get(write.value) ?? []);
  }
  return {
    'acknowledged and lost': counts.lost,
    'written twice': counts.twice,
    'acknowledged under an id that is not its own': counts.elsewhere,
    'refused, yet there': counts.refusedButThere,
    'neither acknowledged nor refused': counts.open,
    'calls left open in outboxes': openIn(consortium),
    'peers with other blocks, flags or commit hashes': await differentPeers(consortium),
    'projections unlike their rebuild': await differentProjections(consortium),
    'reads of a patient’s data without a record': await unrecordedReads(consortium, reader),
    'reads not anchored': unanchored,
  };
}

function count(
  counts: { lost: number; twice: number; elsewhere: number; refusedButThere: number; open: number },
  { told, id }: Write,
  ids: readonly string[],
) {
  if (ids.length > 1) counts.twice += 1;
  if (told === 'open') counts.open += 1;
  if (told === 'refused' && ids.length > 0) counts.refusedButThere += 1;
  if (told !== 'acknowledged') return;
  if (ids.length === 0) counts.lost += 1;
  else if (id === undefined || !ids.includes(id)) counts.elsewhere += 1;
}

/** Ids of the Observations that have each value. */
async function valuesOf(consortium: FaultyConsortium, writer: Writer): Promise<Map<number, string[]>> {
  const [base = ''] = consortium.urlsOf(writer.member);
  const ids = new Map<number, string[]>();
  const query = `${base}/fhir/R4/Observation?patient=${writer.patient}`;
  for (const resource of await searched<{ id: string; valueQuantity: { value: number } }>(
    query,
    await consortium.token(writer.member),
  )) {
    const { value } = resource.valueQuantity;
    ids.set(value, [...(ids.get(value) ?? []), resource.id]);
  }
  return ids;
}

function openIn(consortium: FaultyConsortium): number {
  return HOSPITALS.map((member) => consortium.dataOf(member))
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((file) => /outbox-[^/]*\.db$/.test(file))
    .reduce((sum, file) => sum + openCalls(file), 0);
}

/** Peers whose chain is shorter than another's, or differs from the first one's. */
async function differentPeers({ prepared }: FaultyConsortium): Promise<number> {
  const { channel, peers } = runningChannel(prepared.stateDir);
  const heights = () => Promise.all(peers.map((admin) => admin.height(channel)));
  let newest = Math.max(...(await heights()));
  // The gateways' clocks go on ticking: what counts is the block that was the newest of all.
  await until(async () => Math.min(...(await heights())) >= newest, SETTLE_MS);
  const reached = Math.min(...(await heights()));
  const behind = reached < newest ? 1 : 0;
  newest = Math.min(newest, reached);
  const chains = new Set<string>();
  for (const { name } of prepared.topology.members) {
    const client = connectClient(prepared, { member: name });
    chains.add((await blocksUpTo(client, BigInt(newest - 1))).map(judgedPart).join());
    client.close();
  }
  return chains.size - 1 + behind;
}

function judgedPart(block: common.Block): string {
  const metadata = block.getMetadata()!.getMetadataList_asU8();
  const data = createHash('sha256').update(Buffer.concat(block.getData()!.getDataList_asU8())).digest('hex');
  const hex = (index: number) => Buffer.from(metadata[index] ?? []).toString('hex');
  return [data, hex(TRANSACTIONS_FILTER), hex(COMMIT_HASH)].join('/');
}

async function differentProjections(consortium: FaultyConsortium): Promise<number> {
  const { prepared } = consortium;
  // What peers had later than its block is on its way for a while.
  await until(async () => (await awaitedValues(consortium)) === 0, SETTLE_MS);
  let different = 0;
  for (const member of HOSPITALS) {
    if ((await salus(prepared.stateDir, ['rebuild', '--member', member])).code !== 0) different += 1;
  }
  return different;
}

/** How many values the hospitals' gateways still ask their peers for. */
async function awaitedValues(consortium: FaultyConsortium): Promise<number> {
  const counts = HOSPITALS.flatMap((member) => consortium.urlsOf(member)).map(async (url) => {
    const { channels } = (await (await fetch(`${url}/readyz`)).json()) as { channels: { health: { awaited: number } } };
    return channels.health.awaited;
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}
