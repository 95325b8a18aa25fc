/** Writes dist/collections.json: the private collections that the state.ts files use, for the network to derive from. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Collection, collections, type Kind } from '../lib/kind';

const dist = join(__dirname, '..');

/** Every kind of record of every domain; one name must not stand for two kinds. */
function kinds(): readonly Kind<unknown>[] {
  const found = readdirSync(dist, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(dist, entry.name, 'state.js')))
    .flatMap((entry) => Object.values(stateOf(entry.name)).filter(isKind));
  const names = found.map((kind) => kind.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`two kinds of record are named ${twice}`);
  return found;
}

/** The collections to define: every one declared, whose name a kind may use as its place. */
export function template(): readonly Collection[] {
  const places = new Set<string>(['public', ...collections.map((collection) => collection.name)]);
  const stray = kinds().find((kind) => !places.has(kind.place));
  if (stray !== undefined) throw new Error(`kind ${stray.name} lies in an undeclared place`);
  return collections;
}

function stateOf(domain: string): Record<string, unknown> {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the list of domains is the list of folders here
  return require(join(dist, domain, 'state.js')) as Record<string, unknown>;
}

function isKind(value: unknown): value is Kind<unknown> {
  return typeof value === 'object' && value !== null && 'place' in value && 'attributes' in value;
}

if (require.main === module) {
  writeFileSync(join(dist, 'collections.json'), `${JSON.stringify(template(), null, 2)}\n`);
}
