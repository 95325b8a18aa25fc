import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { projectRoot } from '../support/shared.js';
import { listed } from './listed.js';

const read = (file: string): string => readFileSync(join(projectRoot, file), 'utf8');
const sources = listed('*.ts', '*.js', '*.mjs');

/** The files that may read the environment. */
const environmentReaders = [
  /^gateway\/src\/config\.ts$/,
  /^network\/src\/(cli\.ts|commands\/.*|(embedded|fabric)\/main\.ts)$/,
  /^chaincode\/src\/main\.ts$/,
  /^test\//,
];

describe('the environment', () => {
  it('is read in the few files that may', () => {
    const readers = sources.filter((file) => /\bprocess\.env\b/.test(read(file)));
    const strangers = readers.filter((file) => !environmentReaders.some((allowed) => allowed.test(file)));
    assert.deepEqual(strangers, []);
  });

  it('is documented, every variable', () => {
    const documented = read('docs/environment.md');
    const used = new Set(sources.flatMap((file) => read(file).match(/\bSALUS_[A-Z0-9_]+\b/g) ?? []));
    assert.ok(used.size > 0);
    assert.deepEqual(
      [...used].filter((name) => !documented.includes(`\`${name}\``)),
      [],
    );
  });
});

describe('the page for operators', () => {
  const page = read('docs/operations.md');
  const gateway = listed('gateway/src/*.ts').map(read).join('\n');
  const missing = (names: readonly string[]): string[] => names.filter((name) => !page.includes(`| \`${name}\``));

  it('names every metric', () => {
    const metrics = [...gateway.matchAll(/name: '(salus_\w+)'/g)].map(([, name = '']) => name);
    assert.ok(metrics.length > 4);
    assert.deepEqual(missing(metrics), []);
  });

  it('names every alarm', () => {
    const raised = [
      ...gateway.matchAll(/\b(?:alarm|failing)\((?:\w+ === '\w+' \? )?'([a-z-]+)'(?: : '([a-z-]+)')?/g),
    ].flatMap(([, ...names]) => names.filter((name) => (name as string | undefined) !== undefined));
    const problems = /type Problem = (.*);/.exec(gateway)?.[1]?.match(/[a-z-]{2,}/g) ?? [];
    assert.ok(raised.length > 7 && problems.length > 1, `${raised.join()} ${problems.join()}`);
    assert.deepEqual(missing([...raised, ...problems]), []);
  });
});

describe('the README', () => {
  it('names only scripts and verbs that exist', () => {
    const scripts = (JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts;
    const text = read('README.md');
    const runs = [...text.matchAll(/npm run ([a-z:]+)/g)].map((match) => match[1] ?? '');
    assert.deepEqual(
      runs.filter((script) => !(script in scripts)),
      [],
    );
    const verbs = new Set([...text.matchAll(/npm run salus -- ([a-z]+)/g)].map((match) => match[1] ?? ''));
    const known = execFileSync('node', ['network/dist/cli.js', '--help'], { cwd: projectRoot, encoding: 'utf8' });
    for (const verb of verbs) assert.match(known, new RegExp(`^\\s+${verb}\\b`, 'm'), `salus ${verb}`);
  });

  it('gives the two commands first', () => {
    const text = read('README.md');
    assert.ok(text.includes('npm ci && npm start'));
    assert.ok(text.includes('npm ci && npm test'));
  });

  it('links only to files that exist', () => {
    for (const file of listed('*.md')) {
      const links = [...read(file).matchAll(/\]\((?!https?:|#|mailto:)([^)#]+)[^)]*\)/g)].map(
        (match) => match[1] ?? '',
      );
      const base = file.includes('/') ? file.slice(0, file.lastIndexOf('/')) : '.';
      assert.deepEqual(
        links.filter((link) => !existsSync(join(projectRoot, base, link))),
        [],
        file,
      );
    }
  });
});
