import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** What a test imports, by itself or through others, that brings a network up on the engine asked for. */
const STARTS = ['support/network.js', 'support/engine.js', 'support/fabric-network.js'];

/** Whether a compiled test file runs on a network, by what it and the files beside it import. */
export function needsNetwork(file: string, seen = new Set<string>()): boolean {
  if (STARTS.some((start) => file.endsWith(start))) return true;
  if (seen.has(file)) return false;
  seen.add(file);
  return importsOf(file).some((each) => needsNetwork(each, seen));
}

function importsOf(file: string): string[] {
  const found = readFileSync(file, 'utf8').matchAll(/(?:from|import) '(\.[^']+\.js)'/g);
  // What only looks like an import, in a text that a test writes, is nowhere.
  return [...found].map(([, path = '']) => resolve(dirname(file), path)).filter((path) => existsSync(path));
}
