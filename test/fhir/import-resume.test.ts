import { strict as assert } from 'node:assert';

import { IMPORT_LIMITS } from '@salus/gateway/fhir/import/limits';

import { eventually } from '../support/eventually.js';
import type { Json } from '../support/fhir-server.js';
import { importsOfSuite, ndjson, patients } from './importing.js';
import { patient } from './resources.js';

describe('an import that is cut short', () => {
  const suite = importsOfSuite();
  const versions = async (name: string): Promise<unknown> => (await suite.world.ask(`GET ${name}/_history`)).json.total;

  it('goes on after a restart where it was, and takes each line once', async () => {
    const all = patients(2 * IMPORT_LIMITS.partLines + 50);
    const url = suite.files.put('/all', ndjson(...all));
    let bundles = 0;
    suite.world.open(undefined, {
      fhir: async (request) => {
        const answer = await suite.world.server.router.handle(request);
        bundles += 1;
        // Killed after the second part is committed, before that is kept.
        if (bundles === 2) suite.world.desk.stop();
        return answer;
      },
    });
    const path = await suite.world.begun([{ type: 'Patient', url }]);
    await eventually(async () => {
      assert.equal(bundles, 2);
      assert.equal(
        (await suite.world.ask(`GET ${path}`)).headers['X-Progress'],
        `${IMPORT_LIMITS.partLines} lines, 0 of 1 files done`,
      );
    });
    // What others write meanwhile is not written over by a part that is begun once more.
    for (const id of ['p0', `p${IMPORT_LIMITS.partLines}`]) {
      assert.equal((await suite.world.ask(`PUT Patient/${id}`, { body: patient({ id, active: true }) })).status, 200);
    }
    suite.world.open();
    suite.world.desk.goOn();
    const manifest = await suite.world.done(path);
    assert.equal(manifest.output[0].count, all.length);
    for (const id of ['p0', `p${IMPORT_LIMITS.partLines}`]) {
      assert.equal((await suite.world.ask(`GET Patient/${id}`)).json.active, true, id);
      assert.equal(await versions(`Patient/${id}`), 2, id);
    }
    assert.equal(suite.world.server.ledger.written, all.length + 2);
    for (const id of ['p1', `p${IMPORT_LIMITS.partLines + 1}`, `p${all.length - 1}`])
      assert.equal(await versions(`Patient/${id}`), 1);
  });

  it('reads a file again that broke off, and says where it could not be read to its end', async () => {
    const all = Buffer.from(ndjson(...patients(IMPORT_LIMITS.partLines + 20)));
    let reads = 0;
    const broken = suite.files.put('/broken', (_request, response) => {
      reads += 1;
      response.setHeader('content-length', all.length);
      if (reads > 1) response.end(all);
      else response.write(all.subarray(0, all.length - 2_000), () => setTimeout(() => response.destroy(), 100));
    });
    const gone = `${suite.files.origin}/none`;
    const moved = suite.files.put('/moved', (_request, response) =>
      response.writeHead(302, { location: broken }).end(),
    );
    const input = [broken, gone, moved].map((url) => ({ type: 'Patient', url }));
    const manifest = await suite.world.done(await suite.world.begun(input));
    assert.deepEqual(
      (manifest.output as Json[]).map(({ count }) => count as number),
      [IMPORT_LIMITS.partLines + 20, 0, 0],
    );
    assert.deepEqual(
      (manifest.error as Json[]).map(({ inputUrl }) => inputUrl as string),
      [gone, moved],
    );
    assert.match((await suite.world.problems(manifest, 0))[0]![2], /answers 404/);
    assert.match((await suite.world.problems(manifest, 1))[0]![2], /redirects are not followed/);
    assert.equal(reads, 2);
  });
});
