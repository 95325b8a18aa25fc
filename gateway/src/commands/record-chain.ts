/** What an exported record or a trial's package is checked by, read from a peer of one's own. */
import { existsSync, readFileSync } from 'node:fs';

import { common } from '@hyperledger/fabric-protos';
import type { InForce, MemberEntry } from '@salus/chaincode/registry/api';
import { CommandError } from '@salus/network/command';
import type { Endpoints } from '@salus/network/endpoints';
import { layout } from '@salus/network/identity/layout';
import { peerBlocks } from '@salus/network/verify/block-stream';

import type { HashedWrite } from '../door/evidence.js';
import { decodeBareBlock, VALID } from '../ledger/blocks.js';
import type { LedgerBlock, LedgerTransaction, LedgerWrite } from '../ports.js';
import { REGISTRY_SPACE, registryProjector } from '../registry/project.js';

interface KnownTransaction {
  readonly code: number;
  readonly writes: readonly HashedWrite[];
}

/** What of the chain a record is checked by. */
export interface RecordChain {
  readonly transactions: ReadonlyMap<string, KnownTransaction>;
  /** Members in force, by name. */
  readonly members: ReadonlyMap<string, MemberEntry>;
}

/** Reads every block of a member's peer. Throws CommandError where there is no network or no such member. */
export async function readChain(stateDir: string, name: string): Promise<RecordChain> {
  const transactions = new Map<string, KnownTransaction>();
  const members = new Map<string, MemberEntry>();
  for await (const block of blocksOf(stateDir, name)) {
    for (const transaction of block.transactions) {
      transactions.set(transaction.txId, transaction);
      if (transaction.code !== VALID) continue;
      for (const entry of entriesOf(transaction, block.number)) members.set(entry.name, entry);
    }
  }
  return { transactions, members };
}

/** Every write of a valid transaction, in the order of the blocks, from a member's peer. Throws CommandError. */
export async function* validWrites(stateDir: string, name: string): AsyncGenerator<LedgerWrite> {
  for await (const { transactions } of blocksOf(stateDir, name)) {
    for (const { code, writes } of transactions) if (code === VALID) yield* writes;
  }
}

async function* blocksOf(stateDir: string, name: string): AsyncGenerator<LedgerBlock> {
  const file = layout.endpoints(stateDir);
  if (!existsSync(file)) throw new CommandError(`there is no network in ${stateDir}; start one with: npm start`);
  const { channel, chaincode, members: known } = JSON.parse(readFileSync(file, 'utf8')) as Endpoints;
  const member = known[name];
  if (member === undefined)
    throw new CommandError(`no member ${name}; members are ${Object.keys(known).join(', ')}`, 2);
  for await (const bytes of peerBlocks(channel, member)) {
    yield decodeBareBlock(common.Block.deserializeBinary(bytes), chaincode);
  }
}

/** Members' entries that a transaction put in force. */
function entriesOf(transaction: LedgerTransaction, block: number): MemberEntry[] {
  const changes = transaction.writes.flatMap((write) =>
    registryProjector(write, { ...transaction, block }, () => undefined),
  );
  return changes.flatMap((change) => {
    const isMember = change.kind === 'fact' && change.space === REGISTRY_SPACE && change.key.startsWith('member/');
    return isMember && change.value !== undefined ? [(JSON.parse(change.value) as InForce<MemberEntry>).entry] : [];
  });
}
