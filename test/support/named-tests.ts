/** Tests that our documents name: whether they are there. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { projectRoot } from './shared.js';

/** A test's title as its file says it; what is put in at run time may be anything. */
const TITLE = /\bit\(\s*(['"`])(.+?)\1,/g;

/** Why a test named as `` `file` title `` is not there; undefined where it is. The file is below test/, without its ending. */
export function missingTest(name: string): string | undefined {
  const [, file = '', title = ''] = /^`([a-z0-9/-]+)` (.+)$/.exec(name) ?? [];
  const path = ['.test.ts', '.ts'].map((end) => join(projectRoot, 'test', file + end)).find(existsSync);
  if (path === undefined) return `no file ${file}: ${name}`;
  const titles = [...readFileSync(path, 'utf8').matchAll(TITLE)].map(([, , found = '']) => found);
  return titles.some((found) => matches(found, title)) ? undefined : `no test: ${name}`;
}

function matches(found: string, title: string): boolean {
  const parts = found.split(/\$\{[^}]*\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.+')}$`).test(title);
}
