import { common } from '@hyperledger/fabric-protos';

/**
 * Whether an update's bytes, which another member made, say what this folder makes of the change: written again by this encoder, in
 * one order of groups, values and policies, both are the same. Protocol Buffers leave that order open, so another version of Salus may
 * have another one. Bytes that this encoder would write with fewer hold something that is not seen here, such as a field of another
 * schema or an entry that a later one hides, and say something else.
 */
export function saysTheSame(bytes: Uint8Array, expected: common.ConfigUpdate): boolean {
  try {
    const again = Buffer.from(common.ConfigUpdate.deserializeBinary(bytes).serializeBinary());
    return again.length === bytes.length && again.equals(expected.serializeBinary());
  } catch {
    // No Protocol Buffers at all.
    return false;
  }
}
