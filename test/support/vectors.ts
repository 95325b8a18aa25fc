import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** The serialized common.Block of a recorded chain, from block 0 on. */
export function recordedBlocks(folder: string): Uint8Array[] {
  const bytes = gunzipSync(readFileSync(join(folder, 'blocks.pb.gz')));
  const blocks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    let length = 0;
    let shift = 0;
    let byte: number;
    do {
      byte = bytes[at++]!;
      length += (byte & 0x7f) * 2 ** shift;
      shift += 7;
    } while (byte >= 0x80);
    blocks.push(bytes.subarray(at, at + length));
    at += length;
  }
  return blocks;
}
