/** Whom a gateway lets import, and that an import leaves the others their turn. */
import { strict as assert } from 'node:assert';

import { IMPORT_LIMITS } from '@salus/gateway/fhir/import/limits';
import { Refusal } from '@salus/gateway/ledger/refusal';
import type { Actor } from '@salus/gateway/ports';

import { physician, type Json } from '../support/fhir-server.js';
import { eventually } from '../support/eventually.js';
import { importsOfSuite, ndjson, patients } from './importing.js';
import { patient } from './resources.js';

describe('FHIR $import guards', () => {
  const suite = importsOfSuite();

  it('keeps nothing of an upload by somebody who may write nothing', async () => {
    const allow = (): never => {
      throw new Refusal('forbidden', 'role-may-not-write', 'nothing');
    };
    suite.world.open(undefined, { decision: { allow } });
    assert.equal((await suite.world.uploaded(ndjson(patient({ id: 'a' })))).status, 403);
    assert.deepEqual([suite.world.rows('import_jobs'), suite.world.rows('import_uploads')], [0, 0]);
  });

  it('takes of an upload what the person may write', async () => {
    const allow = (_actor: Actor, type: string): void => {
      if (type !== 'Observation') throw new Refusal('forbidden', 'role-may-not-write', `no ${type}`);
    };
    suite.world.open(undefined, { decision: { allow } });
    const path = suite.world.statusOf(await suite.world.uploaded(ndjson(...patients(3))));
    const manifest = await suite.world.done(path);
    assert.deepEqual(
      (await suite.world.problems(manifest)).map(([line, code]) => [line, code]),
      [1, 2, 3].map((line) => [line, 'forbidden']),
    );
  });

  it('leaves others their turn between any two parts, however bad the lines are', async () => {
    suite.world.open({ problems: 1_000_000, partLines: 10 });
    const path = suite.world.statusOf(await suite.world.uploaded('x\n'.repeat(2_000)));
    let turns = 0;
    let isOver = false;
    const turn = (): void => {
      turns += 1;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    let before = 0;
    // Read without a turn of its own: what is counted are the import's.
    while (!isOver) {
      await new Promise((resolve) => setImmediate(resolve));
      const [row] = suite.world.keys.database.prepare('SELECT line, is_done FROM import_files').all();
      const { line, is_done: done } = row as { line: number; is_done: number };
      assert.ok(line - before <= 10, `${line - before} lines in one turn`);
      before = line;
      isOver = done === 1;
    }
    assert.ok(turns >= 200, `${turns} turns`);
    assert.equal((await suite.world.done(path)).error[0].count, 2_000);
  });

  it('decides who somebody is anew for each part', async () => {
    let isGuardian = true;
    const mandate = { kind: 'guardian', person: 'm' } as const;
    const asked: (string | undefined)[] = [];
    suite.world.open(
      { partLines: 1 },
      {
        actorNow: (actor) => ({ ...actor, mandate: isGuardian ? mandate : { kind: 'none' } }),
        fhir: (request) => {
          asked.push(request.actor.mandate?.kind);
          isGuardian = false;
          return suite.world.server.router.handle(request);
        },
      },
    );
    const actor = { ...physician, mandate };
    const path = suite.world.statusOf(await suite.world.uploaded(ndjson(...patients(2)), { actor }));
    await suite.world.done(path, { actor });
    assert.deepEqual(asked, ['guardian', 'none']);
  });

  it('is one import however often it is kicked off under the same key', async () => {
    const headers = { 'idempotency-key': 'k' };
    const first = await suite.world.uploaded(ndjson(patient({ id: 'a' })), { headers });
    const again = await suite.world.uploaded(ndjson(patient({ id: 'a' })), { headers });
    assert.equal(suite.world.statusOf(again), suite.world.statusOf(first));
    assert.equal(again.headers['Idempotent-Replayed'], 'true');
    await suite.world.done(suite.world.statusOf(first));
    assert.equal((await suite.world.uploaded(ndjson(patient({ id: 'b' })), { headers })).status, 422);
    const actor = { ...physician, user: 'dr-other' };
    const other = await suite.world.uploaded(ndjson(patient({ id: 'a' })), { headers, actor });
    assert.notEqual(suite.world.statusOf(other), suite.world.statusOf(first));
    assert.equal(suite.world.rows('import_jobs'), 2);
    await suite.world.done(suite.world.statusOf(other), { actor });
  });

  it('tells officers what is under way, and lets them end it', async () => {
    const url = suite.files.put('/slow', (_request, response) =>
      response.write(`${ndjson(...patients(IMPORT_LIMITS.partLines + 1))}\n`),
    );
    const path = await suite.world.begun([{ type: 'Patient', url }]);
    const id = path.split('/')[1] ?? '';
    const other = { actor: { ...physician, user: 'dr-other' } };
    const officer = { actor: { ...physician, user: 'officer', role: 'privacy-officer' } };
    assert.equal((await suite.world.ask('GET $import-status', other)).status, 403);
    const { json } = await suite.world.ask('GET $import-status', officer);
    assert.deepEqual((json.parameter[0].part as Json[]).slice(0, 2), [
      { name: 'id', valueId: id },
      { name: 'user', valueString: physician.user },
    ]);
    assert.equal((await suite.world.ask(`GET ${path}`, officer)).status, 404);
    assert.equal((await suite.world.ask(`DELETE ${path}`, officer)).status, 202);
    assert.equal((await suite.world.ask(`GET ${path}`)).status, 404);
    await eventually(async () => {
      assert.equal((await suite.world.ask('GET $import-status', officer)).json.parameter.length, 0);
    });
    for (const table of ['jobs', 'files', 'parts', 'problems']) assert.equal(suite.world.rows(`import_${table}`), 0);
  });
});
