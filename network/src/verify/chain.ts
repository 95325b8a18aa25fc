/**
 * Verifies a chain of blocks without trusting whoever delivered them: every block is validated again, from the
 * auditor's own genesis block on, as a peer of the channel would.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { common, peer } from '@hyperledger/fabric-protos';
import { openLedger, type Ledger } from '../embedded/ledger.js';
import { blockHeaderHash } from '../embedded/orderer/header.js';
import { asFromOrderer, parseBlock } from '../embedded/validation/block-form.js';

/** What an auditor learns of a chain. */
export interface ChainReport {
  readonly blocks: number;
  readonly transactions: number;
  /** Transactions by the name of their validation code, such as VALID. */
  readonly codes: ReadonlyMap<string, number>;
  /** Header hash of the newest block, hex: what two auditors compare. */
  readonly tip: string;
  /** What is wrong, a sentence each; empty when the chain is what it says it is. */
  readonly findings: readonly string[];
}

/** Called after each block with its number. */
export type Progress = (block: number) => void;

/**
 * Checks hash chain, orderers' and creators' signatures, endorsement policies, conflicts, and compares the validation
 * codes and commit hashes that come with each block with those found. Stops at the first block that cannot follow.
 */
export async function verifyChain(
  genesis: Buffer,
  blocks: AsyncIterable<Buffer>,
  progress: Progress = () => undefined,
): Promise<ChainReport> {
  const scratch = mkdtempSync(join(tmpdir(), 'salus-verify-'));
  const files = { public: join(scratch, 'ledger.db'), private: (mspId: string) => join(scratch, `${mspId}.db`) };
  const ledger = await openLedger({ files, genesis, members: [], followConfig: true });
  const audit = new Audit(ledger, genesis);
  try {
    for await (const block of blocks) {
      if (!(await audit.block(block))) break;
      progress(audit.height - 1);
    }
    return audit.report();
  } finally {
    ledger.close();
    rmSync(scratch, { recursive: true, force: true });
  }
}

const codeNames = new Map<number, string>(Object.entries(peer.TxValidationCode).map(([name, code]) => [code, name]));

class Audit {
  height = 0;
  private readonly codes = new Map<string, number>();
  private readonly findings: string[] = [];

  constructor(
    private readonly ledger: Ledger,
    private readonly genesis: Buffer,
  ) {}

  /** Whether the chain can be followed beyond this block. */
  async block(bytes: Buffer): Promise<boolean> {
    const number = this.height;
    if (number > 0) {
      try {
        await this.ledger.committer.commit(asFromOrderer(bytes));
      } catch (error) {
        this.findings.push(`block ${number}: ${(error as Error).message}`);
        return false;
      }
    } else if (!headerOf(bytes).equals(headerOf(this.genesis))) {
      this.findings.push('block 0 is not the genesis block of this channel');
      return false;
    }
    this.height += 1;
    this.compare(number, bytes);
    return true;
  }

  report(): ChainReport {
    const newest = this.ledger.chain.block(this.height - 1);
    return {
      blocks: this.height,
      transactions: [...this.codes.values()].reduce((sum, count) => sum + count, 0),
      codes: this.codes,
      tip: newest === undefined ? '' : blockHeaderHash(parseBlock(newest).header).toString('hex'),
      findings: this.findings,
    };
  }

  private compare(number: number, delivered: Buffer): void {
    const { TRANSACTIONS_FILTER, COMMIT_HASH } = common.BlockMetadataIndex;
    const own = this.ledger.chain.block(number) ?? Buffer.alloc(0);
    const flags = metadataOf(own, TRANSACTIONS_FILTER);
    for (const flag of flags) {
      const code = codeNames.get(flag) ?? `code ${flag}`;
      this.codes.set(code, (this.codes.get(code) ?? 0) + 1);
    }
    if (!flags.equals(metadataOf(delivered, TRANSACTIONS_FILTER))) {
      this.findings.push(`block ${number}: the validation codes it came with are not those found`);
    }
    if (number > 0 && !metadataOf(own, COMMIT_HASH).equals(metadataOf(delivered, COMMIT_HASH))) {
      this.findings.push(`block ${number}: the commit hash it came with is not the one found`);
    }
  }
}

function metadataOf(block: Buffer, index: number): Buffer {
  const list = common.Block.deserializeBinary(block).getMetadata()?.getMetadataList_asU8() ?? [];
  return Buffer.from(list[index] ?? []);
}

function headerOf(block: Buffer): Buffer {
  const parsed = common.Block.deserializeBinary(block);
  const header = parsed.getHeader();
  return Buffer.concat([
    Buffer.from(header?.serializeBinary() ?? []),
    Buffer.from(parsed.getData()?.serializeBinary() ?? []),
  ]);
}
