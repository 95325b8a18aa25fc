import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROUTES } from '@salus/gateway/fhir/interactions';

import { openPaths, readRoutes } from '../proofs/read-routes.js';
import { projectRoot } from '../support/shared.js';

const WRITES = ['create', 'update', 'patch', 'delete'];
const listed = new Set(readRoutes.map(({ route }) => route));

describe("the attack test's list of read routes", () => {
  it('names every read of the FHIR router', () => {
    const served = ROUTES.filter(({ interaction }) => !WRITES.includes(interaction));
    assert.ok(served.length > 10);
    assert.deepEqual(
      served.map(({ method, path }) => `${method} ${path}`).filter((route) => !listed.has(route)),
      [],
    );
  });

  it('names every other path that the gateway answers', () => {
    const sources = ['gateway/src/app.ts', 'gateway/src/pages/routes.ts'].map((file) =>
      readFileSync(join(projectRoot, file), 'utf8'),
    );
    const paths = sources.flatMap((text) =>
      [...text.matchAll(/\b(?:app|router)\.get\('([^']+)'/g)].map((match) => match[1] ?? ''),
    );
    assert.ok(paths.includes('/ledger/history/:type/:id'));
    assert.deepEqual(
      paths.filter((path) => !openPaths.includes(path) && !listed.has(`GET ${path}`)),
      [],
    );
  });
});
