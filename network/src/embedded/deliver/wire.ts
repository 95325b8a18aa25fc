/**
 * Protobuf framing without the messages: blocks pass through the deliver services as the bytes they are stored in,
 * so only the few fields needed are cut out of them. https://protobuf.dev/programming-guides/encoding/
 */

const VARINT = 0;
const LENGTH_DELIMITED = 2;

/** One field of a message: a number or the bytes of a string, a message or a bytes field. */
export interface Field {
  readonly number: number;
  readonly value: Buffer | number;
}

/** The bytes of a length-delimited field: tag, length, content. */
export function lengthDelimited(number: number, content: Uint8Array): Buffer {
  return Buffer.concat([varint(number * 8 + LENGTH_DELIMITED), varint(content.length), content]);
}

/** The bytes of an unsigned integer field; zero is written too. */
export function unsignedField(number: number, value: number): Buffer {
  return Buffer.concat([varint(number * 8 + VARINT), varint(value)]);
}

/** An unsigned integer below 2^53 as a base-128 varint. */
export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** The fields of a message in their order, without copying. Throws on what is no protobuf message. */
function fields(message: Buffer): Field[] {
  const found: Field[] = [];
  let offset = 0;
  while (offset < message.length) {
    const tag = readVarint(message, offset);
    const number = Math.floor(tag.value / 8);
    const content = readVarint(message, tag.end);
    switch (tag.value % 8) {
      case VARINT:
        found.push({ number, value: content.value });
        offset = content.end;
        break;
      case LENGTH_DELIMITED:
        offset = content.end + content.value;
        if (offset > message.length) throw new Error('truncated protobuf message');
        found.push({ number, value: message.subarray(content.end, offset) });
        break;
      default:
        throw new Error(`unexpected protobuf wire type ${tag.value % 8}`);
    }
  }
  return found;
}

/** The contents of every length-delimited field with the number. */
export function contents(message: Buffer, number: number): Buffer[] {
  return fields(message).flatMap((field) =>
    field.number === number && Buffer.isBuffer(field.value) ? [field.value] : [],
  );
}

/** The content of a singular length-delimited field (the last one, as protobuf says); empty when absent. */
export function content(message: Buffer, number: number): Buffer {
  return contents(message, number).at(-1) ?? Buffer.alloc(0);
}

function readVarint(message: Buffer, start: number): { value: number; end: number } {
  let value = 0;
  let scale = 1;
  for (let offset = start; offset < message.length && offset < start + 10; offset++) {
    const byte = message.readUInt8(offset);
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, end: offset + 1 };
    scale *= 0x80;
  }
  throw new Error('truncated protobuf varint');
}
