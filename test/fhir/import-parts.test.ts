/** What becomes of the lines of one part: once each, over nothing that others wrote, and never guessed at. */
import { strict as assert } from 'node:assert';

import { IMPORT_LIMITS } from '@salus/gateway/fhir/import/limits';

import { eventually } from '../support/eventually.js';
import { importsOfSuite, ndjson, patients } from './importing.js';
import { observation, patient } from './resources.js';

describe('a part of an import', () => {
  const suite = importsOfSuite();
  const begun = (lines: readonly unknown[]): Promise<string> =>
    suite.world.begun([{ type: 'Patient', url: suite.files.put('/p', ndjson(...lines)) }]);

  const answered = (answers: () => number, count: number): Promise<void> =>
    eventually(async () => {
      await Promise.resolve();
      assert.equal(answers(), count);
    });

  /** Stops the import after it was answered so often, before the answer is kept; as a kill would. */
  const cutAfter = (count: number, limits = {}): (() => number) => {
    let answers = 0;
    suite.world.open(limits, {
      fhir: async (request) => {
        const answer = await suite.world.server.router.handle(request);
        answers += 1;
        if (answers === count) suite.world.desk.stop();
        return answer;
      },
    });
    return () => answers;
  };

  /** Somebody edits p0 while the import stands still; how that ends once it goes on, with the edit in force. */
  async function editedMeanwhile(path: string): Promise<Awaited<ReturnType<typeof suite.world.done>>> {
    await suite.world.ask('PUT Patient/p0', { body: patient({ id: 'p0', active: true }) });
    suite.world.open();
    suite.world.desk.goOn();
    const manifest = await suite.world.done(path);
    assert.equal((await suite.world.ask('GET Patient/p0')).json.active, true);
    return manifest;
  }

  it('writes over nothing that was edited since, also where the line was equal to what was there', async () => {
    const source = { source: 'https://other.example' };
    for (const id of ['p0', 'p1']) {
      await suite.world.ask(`PUT Patient/${id}`, { body: patient({ id, meta: source }) });
    }
    const answers = cutAfter(1);
    const path = await begun(patients(3));
    await answered(answers, 1);
    const manifest = await editedMeanwhile(path);
    assert.equal((await suite.world.ask('GET Patient/p0/_history')).json.total, 2);
    assert.equal((await suite.world.ask('GET Patient/p2')).status, 200);
    assert.equal(suite.world.server.ledger.written, 4);
    assert.equal(manifest.output[0].count, 3);
  });

  it('is not asked for what was edited since where none of it had to be written', async () => {
    const source = { source: 'https://other.example' };
    await suite.world.ask('PUT Patient/p0', { body: patient({ id: 'p0', meta: source }) });
    const answers = cutAfter(1);
    const path = await begun(patients(1));
    await answered(answers, 1);
    const manifest = await editedMeanwhile(path);
    assert.equal((await suite.world.problems(manifest))[0]![1], 'conflict');
  });

  it('asks the same again after a stop, whoever keeps an id elsewhere by then', async () => {
    const answers = cutAfter(1);
    const path = await begun(patients(2));
    await answered(answers, 1);
    suite.world.elsewhere.add('Patient/p0');
    suite.world.open();
    suite.world.desk.goOn();
    const manifest = await suite.world.done(path);
    assert.deepEqual([manifest.output[0].count, manifest.error], [2, []]);
    assert.equal(suite.world.server.ledger.written, 2);
  });

  it('goes on with what is left of it where lines were taken out before a stop', async () => {
    const answers = cutAfter(2);
    const path = await begun([patient({ id: 'a' }), patient({ id: 'bad', gender: 'x' }), patient({ id: 'c' })]);
    await answered(answers, 2);
    suite.world.open();
    suite.world.desk.goOn();
    const manifest = await suite.world.done(path);
    assert.deepEqual([manifest.output[0].count, manifest.error[0].count], [2, 1]);
    assert.equal(suite.world.server.ledger.written, 2);
  });

  it('counts nothing of which it is not known whether it is in the record', async () => {
    suite.world.server.ledger.silent = true;
    const asked: string[] = [];
    suite.world.open(undefined, {
      fhir: (request) => {
        asked.push(`${request.method} ${request.headers['idempotency-key']}`);
        return suite.world.server.router.handle(request);
      },
    });
    const path = await begun(patients(3));
    await eventually(async () => {
      assert.equal((await suite.world.ask(`GET ${path}`)).status, 202);
      assert.ok(asked.length >= 3);
    });
    assert.equal(new Set(asked).size, 1, 'asked under several keys');
    assert.equal((await suite.world.ask(`GET ${path}`)).status, 202);
    suite.world.now = () => Date.now() + IMPORT_LIMITS.hours * 3_600_000 + 60_000;
    const manifest = await suite.world.done(path);
    assert.equal(new Set(asked).size, 1, 'asked under several keys');
    assert.equal(manifest.output[0].count, 0);
    assert.match((await suite.world.problems(manifest))[0]![2], /lines 1 to 3 that are not told may be in the record/);
  });

  it('takes it once it is known', async () => {
    suite.world.server.ledger.silent = true;
    const path = await begun(patients(3));
    await eventually(async () => {
      assert.equal(suite.world.rows('import_parts'), 1);
      assert.equal((await suite.world.ask(`GET ${path}`)).status, 202);
    });
    suite.world.server.ledger.silent = false;
    assert.equal((await suite.world.done(path)).output[0].count, 3);
    assert.equal(suite.world.server.ledger.writes, 1);
  });

  it('writes the others in one transaction where a few lines are bad, and in few where many are', async () => {
    const withBad = async (bad: number): Promise<number> => {
      const before = suite.world.server.ledger.writes;
      const lines = patients(IMPORT_LIMITS.partLines).map((each, at) => ({
        ...(each as object),
        id: `b${bad}-${at}`,
        ...(at % Math.floor(IMPORT_LIMITS.partLines / bad) === 0 ? { gender: 'x' } : {}),
      }));
      const manifest = await suite.world.done(await begun(lines));
      assert.deepEqual([manifest.output[0].count, manifest.error[0].count], [lines.length - bad, bad]);
      return suite.world.server.ledger.writes - before;
    };
    assert.equal(await withBad(1), 1);
    assert.equal(await withBad(5), 1);
    const many = await withBad(20);
    assert.ok(many <= 60, `${many} transactions`);
  });

  it('lets no reference lead to a Patient that is not here', async () => {
    suite.world.elsewhere.add('Patient/p');
    const input = [
      { type: 'Observation', url: suite.files.put('/o', ndjson(observation('Patient/p', { id: 'o' }))) },
      { type: 'Patient', url: suite.files.put('/q', ndjson(patient({ id: 'q' }))) },
    ];
    const manifest = await suite.world.done(await suite.world.begun(input));
    assert.deepEqual((await suite.world.problems(manifest))[0]?.slice(0, 2), [1, 'processing']);
    assert.equal((await suite.world.ask('GET Observation/o')).status, 404);
    // Its Patient may come with it, in the same file or in one that is named after it.
    const text = ndjson(patient({ id: 'p' }), observation('Patient/p', { id: 'o' }));
    const path = suite.world.statusOf(await suite.world.uploaded(text));
    assert.deepEqual((await suite.world.done(path)).error, []);
    assert.equal((await suite.world.ask('GET Observation/o')).status, 200);
  });
});
