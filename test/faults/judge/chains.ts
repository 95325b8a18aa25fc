/** What each peer holds of every block. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { common } from '@hyperledger/fabric-protos';
import { readDefinition } from '@salus/network/config/channel-files';
import { connectClient } from '../../support/embedded-network.js';
import type { Members } from '../members.js';
import { standings } from './standing.js';

const { TRANSACTIONS_FILTER, COMMIT_HASH } = common.BlockMetadataIndex;

/** Hashes of header and data, flags and commit hash of each block by peer, up to the newest that any gateway knows of; fewer = not in time. */
export async function chainsOf(members: Members, patienceMs: number): Promise<Record<string, string[]>> {
  const heights = (await standings(members, members.names)).map(({ channelHeight }) => channelHeight);
  const newest = Math.max(...heights) - 1;
  const chains: Record<string, string[]> = {};
  for (const { name, peers } of members.topology.members) {
    for (const peer of peers) {
      chains[`${peer.name}.${name}`] = await chainAt(members, { member: name, peer: peer.name }, newest, patienceMs);
    }
  }
  return chains;
}

async function chainAt(
  { stateDir, topology }: Members,
  peer: { readonly member: string; readonly peer: string },
  newest: number,
  patienceMs: number,
): Promise<string[]> {
  const client = connectClient({ stateDir, topology, definition: readDefinition(stateDir) }, peer);
  const blocks = await client.network.getBlockEvents({ startBlock: 0n });
  const late = new AbortController();
  void sleep(patienceMs, undefined, { signal: late.signal }).then(
    () => {
      blocks.close();
    },
    () => undefined,
  );
  const chain: string[] = [];
  try {
    for await (const block of blocks) if (chain.push(judgedPart(block)) > newest) break;
  } finally {
    late.abort();
    blocks.close();
    client.close();
  }
  return chain;
}

function judgedPart(block: common.Block): string {
  const metadata = block.getMetadata()!.getMetadataList_asU8();
  const header = sha256(block.getHeader()!.serializeBinary());
  const data = sha256(Buffer.concat(block.getData()!.getDataList_asU8()));
  const hex = (index: number) => Buffer.from(metadata[index] ?? []).toString('hex');
  return [header, data, hex(TRANSACTIONS_FILTER), hex(COMMIT_HASH)].join('/');
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
