/** Finds a word in files, in whatever shape it may have been written. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

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
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => join(folder, file))
    .filter((file) => statSync(file).isFile())
    .filter((file) => holds(readFileSync(file), word))
    .map((file) => relative(folder, file));
}
