import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { projectRoot } from '../support/shared.js';
import { listed } from './listed.js';

const maxLines = 300;
const tracked = listed();
const sources = tracked.filter((file) => /\.(ts|js|mjs)$/.test(file));
const read = (file: string): string => readFileSync(join(projectRoot, file), 'utf8');

/** What may lie at the top level: folders and files of the house, nothing else. */
const topLevel = new Set([
  ...['chaincode', 'gateway', 'network', 'test', 'docs', '.ci'],
  ...['package.json', 'package-lock.json', 'tsconfig.json', 'eslint.config.js', 'docker-compose.yaml', 'LICENSE'],
  ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md'],
  ...['.gitignore', '.npmrc', '.prettierrc.json', '.prettierignore', '.dockerignore'],
]);

const bannedName = /(^|[-_.])(utils?|helpers?|common|managers?|services?|impl)([-_.]|$)/i;

describe('the house', () => {
  it('has exactly its top level', () => {
    const strangers = [...new Set(tracked.map((file) => file.split('/')[0] ?? ''))].filter(
      (entry) => !topLevel.has(entry),
    );
    assert.deepEqual(strangers, []);
  });

  it(`has no source file of more than ${maxLines} lines`, () => {
    const long = sources.filter((file) => read(file).split('\n').length - 1 > maxLines);
    assert.deepEqual(long, []);
  });

  it('names no file or folder after nothing in particular', () => {
    const vague = sources.filter((file) => file.split('/').some((part) => bannedName.test(part)));
    assert.deepEqual(vague, []);
  });

  it('gives no class or interface a banned ending', () => {
    const vague = sources.flatMap((file) =>
      [...read(file).matchAll(/\b(?:class|interface)\s+(\w+(?:Utils?|Helpers?|Manager|Service|Impl))\b/g)].map(
        (match) => `${file}: ${match[1] ?? ''}`,
      ),
    );
    assert.deepEqual(vague, []);
  });

  it('uses the same domain folders in the three trees', () => {
    const domains = chaincodeDomains();
    assert.ok(domains.length >= 6, `domains found: ${domains.join(' ')}`);
    for (const tree of ['gateway/src', 'test']) {
      const missing = domains.filter((domain) => !tracked.some((file) => file.startsWith(`${tree}/${domain}/`)));
      assert.deepEqual(missing, [], `domains without a folder in ${tree}`);
    }
  });

  it('leaves nothing to do later in the sources', () => {
    const marks = sources.filter(
      (file) => file !== 'test/tidy/house.test.ts' && /\b(TODO|FIXME|XXX)\b/.test(read(file)),
    );
    assert.deepEqual(marks, []);
  });

  it('skips no test without a reason and runs none alone', () => {
    const tests = sources.filter((file) => file.endsWith('.test.ts'));
    const marked = tests.filter((file) => /\b(it|describe)\.(skip|only)\(/.test(read(file)));
    assert.deepEqual(marked, []);
  });
});

describe('what git holds', () => {
  it('holds no private key and no generated crypto', () => {
    const secret = /-----BEGIN (EC |RSA |ENCRYPTED )?PRIVATE KEY-----\n[A-Za-z0-9+/=]{20}/;
    const holders = tracked.filter((file) => /\.(pem|key|crt|p12|jwk)$/.test(file) || secret.test(read(file)));
    assert.deepEqual(holders, []);
  });

  it('holds no registry host and no path of a machine', () => {
    const lockfiles = tracked.filter((file) => basename(file) === 'package-lock.json');
    assert.ok(lockfiles.length >= 1);
    for (const file of lockfiles) assert.doesNotMatch(read(file), /"resolved": "http/, file);
    const pathed = sources.filter((file) => /["'`(]\/(work|root|home)\//.test(read(file)));
    assert.deepEqual(pathed, []);
  });
});

describe('the lockfiles', () => {
  it('agree on every package that both the workspace and the chaincode package lock', () => {
    const root = versions('package-lock.json');
    const different = [...versions('chaincode/package-lock.json')].flatMap(([name, locked]) => {
      const known = root.get(name);
      const foreign = known === undefined ? [] : [...locked].filter((version) => !known.has(version));
      return foreign.map((version) => `${name}: ${version} in chaincode, not in the workspace`);
    });
    assert.deepEqual(different, []);
  });
});

/** Domain folders of the chaincode: those that hold an api.ts. */
function chaincodeDomains(): string[] {
  return tracked
    .filter((file) => /^chaincode\/src\/[a-z]+\/api\.ts$/.test(file))
    .map((file) => basename(dirname(file)));
}

/** Every version of each package that a lockfile has, hoisted or nested. */
function versions(lockfile: string): Map<string, Set<string>> {
  const parsed = JSON.parse(read(lockfile)) as { packages: Record<string, { version?: string; link?: boolean }> };
  const found = new Map<string, Set<string>>();
  for (const [path, { version, link }] of Object.entries(parsed.packages)) {
    const name = /node_modules\/((@[^/]+\/)?[^/]+)$/.exec(path)?.[1];
    if (name === undefined || version === undefined || link === true) continue;
    found.set(name, (found.get(name) ?? new Set()).add(version));
  }
  return found;
}
