import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import ts from 'typescript';

import { projectRoot } from '../support/shared.js';
import { sources } from './listed.js';

/** What has fewer words than this repeats a name. */
const FEWEST_WORDS = 2;

describe('exported symbols', () => {
  it('are said in a sentence', () => {
    const bare = sources().flatMap((file) => undocumented(file, readFileSync(join(projectRoot, file), 'utf8')));
    assert.deepEqual(bare, []);
  });

  it('of every kind are found when nothing, or nothing that counts, is said of them', () => {
    const text = `
      /** What the whole file is about, which says nothing of what comes first in it. */

      export function plain(): void {}
      export class Kept {}
      export interface Shape {}
      export type Name = string;
      export const a = 1, b = 2;
      export enum Kind {}
      /** Thing. */
      export const oneWord = 1;
      // No docstring.
      export const remark = 1;
      function listed(): void {}
      export { listed, elsewhere as other };
      export { thing } from './thing.js';
      export default 3;
      /** Seconds until it is given up. */
      export const right = 1;
      /** Overloads share what the first says. */
      export function overloaded(a: string): void;
      export function overloaded(a: number): void;
      function inner(): void {}`;
    const names = undocumented('x.ts', text).map((each) => each.split(' ')[1]);
    assert.deepEqual(names, ['plain', 'Kept', 'Shape', 'Name', 'a', 'Kind', 'oneWord', 'remark', 'listed']);
  });
});

/** `file:line name` of each symbol that the file declares and exports without a docstring. */
function undocumented(file: string, text: string): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const byName = exportedByName(source);
  const seen = new Set<string>();
  return source.statements.flatMap((statement) => {
    const name = nameOf(statement);
    if (name === undefined || seen.has(name) || !(isExported(statement) || byName.has(name))) return [];
    seen.add(name);
    const { line } = source.getLineAndCharacterOfPosition(statement.getStart());
    return isSaid(statement, text) ? [] : [`${file}:${line + 1} ${name}`];
  });
}

/** Names in `export { name }`; what comes from elsewhere is said there. */
function exportedByName(source: ts.SourceFile): Set<string> {
  const clauses = source.statements.flatMap((statement) =>
    ts.isExportDeclaration(statement) && statement.moduleSpecifier === undefined ? [statement.exportClause] : [],
  );
  const elements = clauses.flatMap((clause) => (clause && ts.isNamedExports(clause) ? [...clause.elements] : []));
  return new Set(elements.map(({ name, propertyName }) => (propertyName ?? name).text));
}

function nameOf(statement: ts.Statement): string | undefined {
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations[0]?.name.getText();
  const isNamed =
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    ts.isEnumDeclaration(statement);
  return isNamed ? statement.name?.text : undefined;
}

function isExported(statement: ts.Statement): boolean {
  const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined;
  return (modifiers ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
}

/** A docstring stands right above; one that an empty line sets apart is about the file. */
function isSaid(statement: ts.Statement, text: string): boolean {
  const said = ts.getJSDocCommentsAndTags(statement).filter(ts.isJSDoc).at(-1);
  if (said === undefined) return false;
  const words = said.getText().match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.length >= FEWEST_WORDS && !/\n\s*\n/.test(text.slice(said.getEnd(), statement.getStart()));
}
