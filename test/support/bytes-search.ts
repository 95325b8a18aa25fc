/** Finds a word in files, in whatever shape it may have been written. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Whether bytes hold the word: in any case as UTF-8 or UTF-16, as base64 at any of its three offsets, or as hex. */
export function holds(content: Buffer, word: string): boolean {
  const text = content.toString('latin1').toLowerCase();
  const folded = word.toLowerCase();
  const shapes = [folded, Buffer.from(folded, 'utf16le').toString('latin1'), Buffer.from(word).toString('hex')];
  return shapes.some((shape) => text.includes(shape)) || base64Shapes(word).some((shape) => content.includes(shape));
}

function base64Shapes(text: string): Buffer[] {
  return [0, 1, 2].map((offset) => {
    const encoded = Buffer.from(' '.repeat(offset) + text).toString('base64');
    const start = [0, 2, 3][offset] ?? 0;
    return Buffer.from(encoded.slice(start, Math.floor(encoded.replaceAll('=', '').length / 4) * 4));
  });
}

/** Files below a folder that hold the word, named from there. */
export function holders(folder: string, word: string): string[] {
  return filesIn(folder).filter((file) => holds(contentOf(join(folder, file)), word));
}

function filesIn(folder: string): string[] {
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return found.filter((file) => statSync(join(folder, file), { throwIfNoEntry: false })?.isFile());
}

/** Nothing of a file that a running network deleted since it was listed. */
function contentOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

/** A word as it may have been written: UTF-8 and UTF-16 in upper, lower and its own case, hex, base64. */
export function shapesOf(word: string): Buffer[] {
  const cases = [...new Set([word, word.toLowerCase(), word.toUpperCase()])];
  const hex = Buffer.from(word).toString('hex');
  return [
    ...cases.flatMap((each) => [Buffer.from(each), Buffer.from(each, 'utf16le')]),
    ...[hex, hex.toUpperCase()].map((each) => Buffer.from(each)),
    ...base64Shapes(word),
  ];
}

/** Which of many byte strings (4 bytes or more) lie in which files below a folder; reads each file once. */
export function found(
  folder: string,
  needles: readonly Buffer[],
): { readonly file: string; readonly needle: Buffer }[] {
  const starts = new Uint8Array(1 << 24);
  const byStart = new Map<number, Buffer[]>();
  for (const needle of needles) {
    const start = needle.readUIntBE(0, 3);
    starts[start] = 1;
    byStart.set(start, [...(byStart.get(start) ?? []), needle]);
  }
  return filesIn(folder).flatMap((file) => {
    const seen = foundIn(contentOf(join(folder, file)), starts, byStart);
    return [...seen].map((needle) => ({ file, needle }));
  });
}

function foundIn(content: Buffer, starts: Uint8Array, byStart: ReadonlyMap<number, readonly Buffer[]>): Set<Buffer> {
  const seen = new Set<Buffer>();
  let start = ((content[0] ?? 0) << 8) | (content[1] ?? 0);
  for (let at = 2; at < content.length; at += 1) {
    start = ((start << 8) | (content[at] ?? 0)) & 0xff_ff_ff;
    if (starts[start] !== 1) continue;
    for (const needle of byStart.get(start) ?? []) {
      if (content.subarray(at - 2, at - 2 + needle.length).equals(needle)) seen.add(needle);
    }
  }
  return seen;
}
