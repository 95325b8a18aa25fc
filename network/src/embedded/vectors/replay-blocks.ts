import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { common } from '@hyperledger/fabric-protos';
import { openLedger, type Ledger } from '../ledger.js';
import { parsePrivateSets } from '../rwset/parse.js';
import { blockHeaderHash } from '../orderer/header.js';
import { asFromOrderer, parseBlock } from '../validation/block-form.js';
import { readWriteSetsOf, transactionId } from '../validation/envelope.js';
import {
  readRecordedBlocks,
  readRecordedPrivateSets,
  type RecordedBlock,
  type RecordedPrivateSet,
} from './recorded-chain.js';

/** How a replayed chain compares with the recorded one. */
export interface BlockReplay {
  readonly blocks: number;
  readonly headerHashes: number;
  readonly flags: number;
  readonly commitHashes: number;
  /** Private sets found as recorded at the end. */
  readonly privateSets: number;
  /** Private sets that a purge of their own block emptied before anyone could record them. */
  readonly emptiedSets: number;
  /** What differed, a sentence each. */
  readonly differences: readonly string[];
}

/** Asked before each block, with the ledger as it stood when the recorded peers had committed the blocks before it. */
export type BeforeBlock = (ledger: Ledger, height: number) => Promise<void>;

/**
 * Commits a recorded chain into a fresh ledger, in a temporary folder, and compares header hashes, validation flags,
 * commit hashes and private sets with those of real Fabric.
 */
export async function replayBlocks(folder: string, beforeBlock?: BeforeBlock): Promise<BlockReplay> {
  const scratch = mkdtempSync(join(tmpdir(), 'salus-vectors-'));
  try {
    return await replayInto(scratch, folder, beforeBlock);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function replayInto(scratch: string, folder: string, beforeBlock?: BeforeBlock): Promise<BlockReplay> {
  const blocks = readRecordedBlocks(folder);
  const sets = readRecordedPrivateSets(folder);
  const [first, ...rest] = blocks;
  if (first === undefined) throw new Error(`${folder} holds no blocks`);
  const ledger = await openLedger({
    files: { public: join(scratch, 'ledger.db'), private: (mspId) => join(scratch, `${mspId}.db`) },
    genesis: first.bytes,
    members: [...new Set(sets.map(({ mspId }) => mspId))],
    followConfig: true,
  });
  const comparison = new Comparison();
  try {
    comparison.block(ledger, first);
    for (const block of rest) {
      await beforeBlock?.(ledger, block.number);
      feed(ledger, block, sets, comparison);
      await commit(ledger, block, comparison);
    }
    comparison.privateSets(ledger, sets, blocks);
    return comparison.result();
  } finally {
    ledger.close();
  }
}

/** The recorded sets take the way that endorsement would have given them. */
function feed(
  ledger: Ledger,
  { number, bytes }: RecordedBlock,
  sets: readonly RecordedPrivateSet[],
  comparison: Comparison,
): void {
  const { envelopes } = parseBlock(bytes);
  for (const set of sets) {
    const envelope = set.when === 'commit' && set.block === number ? envelopes[set.tx] : undefined;
    const txId = envelope && transactionId(envelope);
    if (envelope === undefined || txId === undefined) continue;
    ledger.transient.put(set.mspId, txId, set.bytes, number);
    if (!isWhole(envelope, set.bytes)) comparison.emptied(set);
  }
}

/** Whether every part of a private set has the hash that the transaction names. */
function isWhole(envelope: Buffer, privateSet: Buffer): boolean {
  const hashes = new Set(
    readWriteSetsOf(envelope).flatMap(({ collections }) => collections.map((one) => one.privateHash.toString('hex'))),
  );
  return parsePrivateSets(privateSet).every((part) =>
    hashes.has(createHash('sha256').update(part.bytes).digest('hex')),
  );
}

async function commit(ledger: Ledger, block: RecordedBlock, comparison: Comparison): Promise<void> {
  try {
    await ledger.committer.commit(asFromOrderer(block.bytes));
    comparison.block(ledger, block);
  } catch (error) {
    throw new Error(`block ${block.number} could not be committed`, { cause: error });
  }
}

class Comparison {
  private readonly differences: string[] = [];
  private readonly unrecorded = new Set<string>();
  private readonly counts = { blocks: 0, headerHashes: 0, flags: 0, commitHashes: 0, privateSets: 0, emptiedSets: 0 };

  block(ledger: Ledger, recorded: RecordedBlock): void {
    const bytes = ledger.chain.block(recorded.number);
    if (bytes === undefined) {
      this.differences.push(`block ${recorded.number} is missing`);
      return;
    }
    this.counts.blocks += 1;
    const block = parseBlock(bytes);
    this.count(
      'headerHashes',
      `block ${recorded.number}: header hash`,
      blockHeaderHash(block.header),
      recorded.headerHash,
    );
    this.flags(block.message, recorded);
    if (recorded.commitHash === '') return;
    const commitHash = common.Metadata.deserializeBinary(entryOf(block.message, common.BlockMetadataIndex.COMMIT_HASH));
    this.count(
      'commitHashes',
      `block ${recorded.number}: commit hash`,
      Buffer.from(commitHash.getValue_asU8()),
      recorded.commitHash,
    );
  }

  emptied({ mspId, block, tx }: RecordedPrivateSet): void {
    this.unrecorded.add(`${mspId} ${block}:${tx}`);
  }

  privateSets(ledger: Ledger, sets: readonly RecordedPrivateSet[], blocks: readonly RecordedBlock[]): void {
    const atEnd = sets.filter(({ when }) => when === 'end');
    const members = new Set(sets.map(({ mspId }) => mspId));
    const found = new Map<string, Buffer>();
    for (const mspId of members) {
      for (const { number } of blocks) {
        for (const [tx, bytes] of ledger.chain.privateData(mspId, number)) found.set(`${mspId} ${number}:${tx}`, bytes);
      }
    }
    for (const { mspId, block, tx, bytes } of atEnd) {
      const position = `${mspId} ${block}:${tx}`;
      if (this.unrecorded.has(position) && !found.has(position)) {
        this.counts.emptiedSets += 1;
        continue;
      }
      this.count(
        'privateSets',
        `private set of ${position}`,
        found.get(position) ?? Buffer.alloc(0),
        bytes.toString('hex'),
      );
      found.delete(position);
    }
    for (const position of found.keys()) this.differences.push(`private set of ${position}: Fabric delivers none`);
  }

  result(): BlockReplay {
    return { ...this.counts, differences: this.differences };
  }

  private flags(block: common.Block, { number, flags, labels }: RecordedBlock): void {
    const expected = Buffer.from(flags, 'hex');
    const found = entryOf(block, common.BlockMetadataIndex.TRANSACTIONS_FILTER);
    expected.forEach((code, tx) => {
      if (found[tx] === code) this.counts.flags += 1;
      else
        this.differences.push(`${number}:${tx} (${labels[tx] ?? ''}): code ${String(found[tx])}, Fabric's is ${code}`);
    });
  }

  private count(name: keyof typeof this.counts, what: string, found: Buffer, expected: string): void {
    if (found.toString('hex') === expected) this.counts[name] += 1;
    else this.differences.push(`${what} differs`);
  }
}

function entryOf(block: common.Block, index: number): Uint8Array {
  return block.getMetadata()?.getMetadataList_asU8()[index] ?? new Uint8Array();
}
