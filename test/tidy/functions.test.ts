import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import ts from 'typescript';

import { projectRoot } from '../support/shared.js';
import { sources } from './listed.js';

/** A function reads like a table of contents: it fits on a screen. */
const maxFunctionLines = 60;

describe('functions', () => {
  it(`have at most ${maxFunctionLines} lines`, () => {
    assert.ok(sources().length > 100);
    const long = sources().flatMap((file) => longFunctions(file));
    assert.deepEqual(long, []);
  });
});

function longFunctions(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(join(projectRoot, file), 'utf8'), ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const line = (position: number): number => source.getLineAndCharacterOfPosition(position).line + 1;
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node)) {
      const [first, last] = [line(node.getStart()), line(node.getEnd())];
      if (last - first + 1 > maxFunctionLines) found.push(`${file}:${first} has ${last - first + 1} lines`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}
