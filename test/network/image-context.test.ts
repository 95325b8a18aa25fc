/** What images are built from: the sources, and nothing that a member keeps, wherever somebody put it in this folder. */
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

import { exportMember } from '@salus/network/fabric/export';
import { prepareState } from '@salus/network/prepare';
import { loadTopology } from '@salus/network/topology';

import { TEST_COLLECTIONS } from '../support/embedded-network.js';
import { scratchFolder } from '../support/scratch.js';
import { projectRoot } from '../support/shared.js';
import { listed } from '../tidy/listed.js';

/** Where docs and habit put what members keep: a state folder, an exported one, secrets, backups, a torn export. */
const PLACES = ['hill', 'network/hill', 'docs/out', 'network/secrets', 'backup/2026-01-01', '.salus', 'test/hill'];

const lines = (file: string): string[] =>
  readFileSync(join(projectRoot, file), 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));

/** As Docker reads it: a pattern is for a path or a folder above it, the last one that fits decides. */
function isInContext(path: string, patterns: readonly string[]): boolean {
  const parts = path.split('/');
  const above = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  const last = patterns.findLast((pattern) => above.some((each) => shapeOf(pattern).test(each)));
  return last?.startsWith('!') ?? true;
}

function shapeOf(pattern: string): RegExp {
  const shape = pattern
    .replace(/^!/, '')
    .replaceAll('**/', '\0')
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '[^/]*')
    .replaceAll('\0', '(.*/)?');
  return new RegExp(`^${shape}$`);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)));
}

/** Of a Dockerfile what each COPY takes: from the context, or in the last stage from the one before. */
function copied(dockerfile: string): { context: string[]; image: string[] } {
  const copies = lines(dockerfile)
    .filter((line) => line.startsWith('COPY '))
    .map((line) => line.split(' ').slice(1, -1));
  return {
    context: copies.filter(([first = '']) => !first.startsWith('--from')).flat(),
    image: copies.filter(([first = '']) => first.startsWith('--from')).flatMap(([, ...sources]) => sources),
  };
}

describe('what images are built from', function () {
  this.timeout(120_000);
  const scratch = scratchFolder();
  const patterns = lines('.dockerignore');
  const tracked = listed();
  let kept: string[];

  before(async () => {
    const [whole, own] = [join(scratch.path, 'whole'), join(scratch.path, 'own')];
    await prepareState(loadTopology(), whole, { collections: TEST_COLLECTIONS });
    exportMember(whole, 'acme', own);
    for (const file of [
      'data/keys.db',
      'data/keys.db-wal',
      'data/master.key',
      'ledger/peer0/chains/blockfile_000000',
    ]) {
      mkdirSync(dirname(join(own, 'members/acme', file)), { recursive: true });
      writeFileSync(join(own, 'members/acme', file), 'kept');
    }
    writeFileSync(join(own, '.env'), 'SALUS_STATE=/');
    kept = [...filesBelow(own), 'stmary-registrar.json', 'backup.json'];
  });
  after(() => {
    scratch.remove();
  });

  it('is every source, and no more of what the project holds than that', () => {
    const inside = tracked.filter((file) => isInContext(file, patterns));
    const sources = tracked.filter((file) => /^(chaincode|gateway|network)\/src\//.test(file));
    assert.deepEqual(
      sources.filter((file) => !inside.includes(file)),
      [],
    );
    const further = inside.filter((file) => !sources.includes(file));
    assert.deepEqual(
      further.filter(
        (file) => !/^((chaincode|gateway|network|test)\/)?(package|package-lock|tsconfig)\.json$|^\.npmrc$/.test(file),
      ),
      [],
    );
  });

  it('holds all that the Dockerfiles copy', () => {
    const inside = tracked.filter((file) => isInContext(file, patterns));
    for (const dockerfile of ['gateway/Dockerfile', 'chaincode/Dockerfile']) {
      const { context } = copied(dockerfile);
      assert.ok(context.length > 0);
      for (const source of context.filter((each) => each !== '.')) {
        assert.ok(
          inside.some((file) => file === source || file.startsWith(`${source}/`)),
          `${dockerfile} copies ${source}`,
        );
      }
    }
  });

  it('holds nothing that a member keeps, and no build, ledger or module of this machine', () => {
    const strange = PLACES.flatMap((place) => kept.map((file) => `${place}/${file}`));
    const built = ['gateway/dist/main.js', 'node_modules/x/index.js', 'gateway/node_modules/x/index.js', '.git/config'];
    assert.deepEqual(
      [...strange, ...built].filter((file) => isInContext(file, patterns)),
      [],
    );
  });

  it('is not what an image holds: that is what was built, and the packages', () => {
    for (const dockerfile of ['gateway/Dockerfile', 'chaincode/Dockerfile']) {
      const { image } = copied(dockerfile);
      assert.ok(image.length > 0);
      for (const source of image) {
        assert.match(source, /^\/build\/(\w+\/)?(dist|node_modules|package\.json|package-lock\.json)$/, dockerfile);
      }
    }
  });

  it('is as little in git: nothing with a key, or of a gateway’s or ledger’s data, is taken in by git add', () => {
    const tree = join(scratch.path, 'tree');
    const git = (...args: string[]): string => execFileSync('git', ['-C', tree, ...args], { encoding: 'utf8' });
    for (const place of PLACES) {
      for (const file of kept) {
        const to = join(tree, place, file);
        mkdirSync(dirname(to), { recursive: true });
        const from = join(scratch.path, 'own', file);
        writeFileSync(to, statSync(from, { throwIfNoEntry: false }) ? readFileSync(from) : '{}');
      }
    }
    writeFileSync(join(tree, '.gitignore'), readFileSync(join(projectRoot, '.gitignore')));
    git('init', '--quiet');
    const taken = git('ls-files', '--others', '--exclude-standard').trim().split('\n');
    assert.deepEqual(
      taken.filter(
        (file) =>
          !/\/(network|member|backup)\.json$|\/channel\/|\/(docker-compose\.yaml|README\.md)$|^\.gitignore$|\/stmary-registrar\.json$/.test(
            file,
          ),
      ),
      [],
    );
    assert.deepEqual(
      taken.filter((file) => readFileSync(join(tree, file), 'latin1').includes('PRIVATE KEY-----')),
      [],
    );
    assert.equal(taken.includes('network/secrets/stmary-registrar.json'), false);
  });
});
