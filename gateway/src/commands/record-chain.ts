/** What an exported record, a certificate or a trial's package is checked by, read from a peer of one's own. */
import { existsSync, readFileSync } from 'node:fs';

import { common } from '@hyperledger/fabric-protos';
import type { InForce, MemberEntry } from '@salus/chaincode/registry/api';
import { CommandError } from '@salus/network/command';
import type { Endpoints } from '@salus/network/endpoints';
import { layout } from '@salus/network/identity/layout';
import { peerBlocks } from '@salus/network/verify/block-stream';

import { decodeBareBlock, VALID } from '../ledger/blocks.js';
import type { LedgerBlock, LedgerTransaction, LedgerWrite } from '../ports.js';
import { REGISTRY_SPACE, registryProjector } from '../registry/project.js';

/** What of the chain a record is checked by. */
export interface RecordChain {
  readonly channel: string;
  /** By id, in the order of the blocks. */
  readonly transactions: ReadonlyMap<string, Pick<LedgerTransaction, 'code' | 'writes'>>;
  /** Members in force, by name. */
  readonly members: ReadonlyMap<string, MemberEntry>;
  /** Every key that ever was a member's, by the member and by its id: two members may give theirs the same. */
  readonly everKeys: ReadonlyMap<string, ReadonlyMap<string, object>>;
}

/** Reads every block of a member's peer. Throws CommandError where there is no network or no such member. */
export async function readChain(stateDir: string, name: string): Promise<RecordChain> {
  const transactions = new Map<string, LedgerTransaction>();
  const members = new Map<string, MemberEntry>();
  const everKeys = new Map<string, Map<string, object>>();
  for await (const block of blocksOf(stateDir, name)) {
    for (const transaction of block.transactions) {
      // An id may come again: what is valid counts, wherever it stands.
      if (transactions.get(transaction.txId)?.code !== VALID) {
        transactions.delete(transaction.txId);
        transactions.set(transaction.txId, transaction);
      }
      if (transaction.code !== VALID) continue;
      for (const entry of entriesOf(transaction, block.number)) {
        members.set(entry.name, entry);
        const keys = everKeys.get(entry.name) ?? new Map<string, object>();
        everKeys.set(entry.name, keys);
        for (const jwk of entry.keys) keys.set(jwk.kid, jwk);
      }
    }
  }
  return { channel: endpointsOf(stateDir).channel, transactions, members, everKeys };
}

/** Every write of a valid transaction, in the order of the blocks, from a member's peer. Throws CommandError. */
export async function* validWrites(stateDir: string, name: string): AsyncGenerator<LedgerWrite> {
  for await (const { transactions } of blocksOf(stateDir, name)) {
    for (const { code, writes } of transactions) if (code === VALID) yield* writes;
  }
}

async function* blocksOf(stateDir: string, name: string): AsyncGenerator<LedgerBlock> {
  const { channel, chaincode, members: known } = endpointsOf(stateDir);
  const member = known[name];
  if (member === undefined)
    throw new CommandError(`no member ${name}; members are ${Object.keys(known).join(', ')}`, 2);
  for await (const bytes of peerBlocks(channel, member)) {
    yield decodeBareBlock(common.Block.deserializeBinary(bytes), chaincode);
  }
}

function endpointsOf(stateDir: string): Endpoints {
  const file = layout.endpoints(stateDir);
  if (!existsSync(file)) throw new CommandError(`there is no network in ${stateDir}; start one with: npm start`);
  return JSON.parse(readFileSync(file, 'utf8')) as Endpoints;
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
