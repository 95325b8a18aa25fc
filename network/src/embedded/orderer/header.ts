import { createHash } from 'node:crypto';
import type { common } from '@hyperledger/fabric-protos';

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const OCTET_STRING = 0x04;

/**
 * A block header as it is hashed and signed: DER SEQUENCE { INTEGER number, OCTET STRING previous hash, OCTET STRING
 * data hash }.
 */
export function encodeBlockHeader(header: common.BlockHeader): Buffer {
  return der(
    SEQUENCE,
    Buffer.concat([
      der(INTEGER, unsigned(header.getNumber())),
      der(OCTET_STRING, header.getPreviousHash_asU8()),
      der(OCTET_STRING, header.getDataHash_asU8()),
    ]),
  );
}

/** SHA-256 of the encoded header: the next block's previous hash. */
export function blockHeaderHash(header: common.BlockHeader): Buffer {
  return createHash('sha256').update(encodeBlockHeader(header)).digest();
}

/** SHA-256 over a block's envelopes, one after the other. */
export function blockDataHash(envelopes: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const envelope of envelopes) hash.update(envelope);
  return hash.digest();
}

/** Contents here are two hashes and a number, always under the 128 bytes that need a longer length form. */
function der(tag: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([tag, content.length]), content]);
}

function unsigned(value: number): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex');
  return bytes.readUInt8(0) & 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes;
}
