/** Hashes of Fabric's block headers (protoutil.BlockHeaderHash, protoutil.ComputeBlockDataHash). */
import { createHash } from 'node:crypto';

/** SHA-256 over the DER form SEQUENCE{INTEGER number, OCTET STRING previousHash, OCTET STRING dataHash}. */
export function blockHeaderHash(number: number, previousHash: Uint8Array, dataHash: Uint8Array): Buffer {
  const body = Buffer.concat([
    derValue(0x02, derInteger(number)),
    derValue(0x04, previousHash),
    derValue(0x04, dataHash),
  ]);
  return createHash('sha256').update(derValue(0x30, body)).digest();
}

/** SHA-256 over the envelopes of the block one after the other. */
export function blockDataHash(envelopes: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const envelope of envelopes) hash.update(envelope);
  return hash.digest();
}

function derValue(tag: number, content: Uint8Array): Buffer {
  // Hashes and a block number never reach 128 bytes, so DER's short form of the length always fits.
  return Buffer.concat([Buffer.from([tag, content.length]), content]);
}

function derInteger(value: number): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes;
}
