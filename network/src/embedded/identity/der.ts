/** One ASN.1 element of a DER text: its tag, its content and all of its bytes. */
export interface Der {
  readonly tag: number;
  readonly content: Buffer;
  readonly raw: Buffer;
}

/** ASN.1 tags that certificates and revocation lists use. */
export const derTag = {
  bitString: 0x03,
  octetString: 0x04,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
} as const;

/** Reads the element at the start of `bytes`; throws a RangeError when they are no whole element. */
export function readDer(bytes: Buffer): Der {
  const first = bytes.readUInt8(1);
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(2, lengthBytes);
  const start = 2 + lengthBytes;
  if (start + length > bytes.length) throw new RangeError('DER element runs over its end');
  return {
    tag: bytes.readUInt8(0),
    content: bytes.subarray(start, start + length),
    raw: bytes.subarray(0, start + length),
  };
}

/** The elements inside a constructed element, in order. */
export function derChildren(content: Buffer): Der[] {
  const children: Der[] = [];
  let rest = content;
  while (rest.length > 0) {
    const child = readDer(rest);
    children.push(child);
    rest = rest.subarray(child.raw.length);
  }
  return children;
}

/** Encodes one element. */
export function writeDer(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.of(tag), derLength(content.length), content]);
}

function derLength(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.of(0x80 | bytes.length, ...bytes);
}
