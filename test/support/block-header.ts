import type { common } from '@hyperledger/fabric-protos';

/** The bytes of a block's header that its hash and its orderer's signature are over: ASN.1 DER, written out by hand. */
export function headerBytes(header: common.BlockHeader): Buffer {
  return der(
    0x30,
    Buffer.concat([
      integer(header.getNumber()),
      der(0x04, Buffer.from(header.getPreviousHash_asU8())),
      der(0x04, Buffer.from(header.getDataHash_asU8())),
    ]),
  );
}

function integer(value: number): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 1 ? `0${hex}` : hex, 'hex');
  return der(0x02, bytes[0]! & 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}

/** All contents here are shorter than 128 bytes. */
function der(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag, content.length]), content]);
}
