import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** One block of a recorded chain as real Fabric committed it. */
export interface RecordedBlock {
  readonly number: number;
  readonly bytes: Buffer;
  readonly headerHash: string;
  readonly commitHash: string;
  readonly flags: string;
  /** What each transaction exercises. */
  readonly labels: readonly string[];
}

/** A private write set as a member's peer delivered it. */
export interface RecordedPrivateSet {
  readonly when: 'commit' | 'end';
  readonly block: number;
  readonly tx: number;
  readonly mspId: string;
  /** rwset.TxPvtReadWriteSet. */
  readonly bytes: Buffer;
}

interface ExpectedBlock {
  readonly number: number;
  readonly headerHash: string;
  readonly commitHash: string;
  readonly flags: string;
  readonly txs: readonly string[];
}

/** The blocks of a folder of recorded vectors (blocks.pb.gz, expected.json). */
export function readRecordedBlocks(folder: string): RecordedBlock[] {
  const stream = gunzipSync(readFileSync(join(folder, 'blocks.pb.gz')));
  const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as {
    readonly chain: readonly ExpectedBlock[];
  };
  let offset = 0;
  return expected.chain.map(({ number, headerHash, commitHash, flags, txs }) => {
    const length = readVarint(stream, offset);
    const bytes = stream.subarray(length.next, length.next + length.value);
    offset = length.next + length.value;
    return { number, bytes, headerHash, commitHash, flags, labels: txs };
  });
}

/** The private write sets of a folder of recorded vectors (private.jsonl.gz). */
export function readRecordedPrivateSets(folder: string): RecordedPrivateSet[] {
  return readLines(join(folder, 'private.jsonl.gz')).map((line) => {
    const { when, block, tx, org, rwset } = JSON.parse(line) as {
      readonly when: 'commit' | 'end';
      readonly block: number;
      readonly tx: number;
      readonly org: string;
      readonly rwset: string;
    };
    return { when, block, tx, mspId: org, bytes: Buffer.from(rwset, 'base64') };
  });
}

/** The lines of a gzipped text file. */
export function readLines(file: string): string[] {
  return gunzipSync(readFileSync(file))
    .toString()
    .split('\n')
    .filter((line) => line !== '');
}

function readVarint(bytes: Buffer, start: number): { readonly value: number; readonly next: number } {
  let value = 0;
  let scale = 1;
  for (let next = start; ; next += 1) {
    const byte = bytes.readUInt8(next);
    value += (byte & 0x7f) * scale;
    scale *= 0x80;
    if (byte < 0x80) return { value, next: next + 1 };
  }
}
