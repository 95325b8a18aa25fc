import { strict as assert } from 'node:assert';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';

import { linesOf } from '@salus/gateway/fhir/import/lines';
import { IMPORT_LIMITS } from '@salus/gateway/fhir/import/limits';

import { physician, type Answer, type Json } from '../support/fhir-server.js';
import { importsOfSuite } from './importing.js';
import { patient } from './resources.js';

const name = [{ family: 'Zoe' }];
const line = (id: string, more: Json = {}): string => `${JSON.stringify(patient({ id, name, ...more }))}\n`;

describe('the limits of imports', () => {
  const suite = importsOfSuite();

  const imported = async (url: string): Promise<Json> =>
    suite.world.done(await suite.world.begun([{ type: 'Patient', url }]));
  const silent = (): string => suite.files.put('/silent', (_request, response) => response.write(line('silent')));

  it('files: one more is refused', async () => {
    const input = Array.from({ length: IMPORT_LIMITS.files }, () => ({
      type: 'Patient',
      url: suite.files.put('/p', line('p')),
    }));
    const manifest = await suite.world.done(await suite.world.begun(input));
    assert.equal(manifest.output.length, IMPORT_LIMITS.files);
    await assert.rejects(suite.world.begun([...input, input[0]!]), /^Error: 413 /);
  });

  it('bytes of a file: one more ends it, and what was read before is taken; packed they count as unpacked', async () => {
    const text = line('a', { name: [{ family: 'y'.repeat(1_000) }] }) + line('b').trimEnd();
    suite.world.open({ fileBytes: text.length });
    assert.deepEqual((await imported(suite.files.put('/fits', text))).error, []);
    const over = await imported(suite.files.put('/over', `${text}\n`));
    assert.match((await suite.world.problems(over))[0]![2], /more than \d+ bytes/);
    const packed = gzipSync(line('c') + line('d', { name: [{ family: 'x'.repeat(100_000) }] }));
    assert.ok(packed.length < text.length);
    const bomb = suite.files.put('/bomb', (_request, response) => {
      response.setHeader('content-encoding', 'gzip').end(packed);
    });
    assert.match((await suite.world.problems(await imported(bomb)))[0]![2], /more than \d+ bytes/);
  });

  it('bytes of a line: one more, and it is not taken', async () => {
    const text = line('a').trimEnd();
    suite.world.open({ lineBytes: text.length });
    assert.deepEqual((await imported(suite.files.put('/fits', text))).error, []);
    assert.equal((await imported(suite.files.put('/over', `${text} `))).error[0].count, 1);
  });

  it('imports under way, of one person and of all: one more is asked to come again', async () => {
    const url = silent();
    const body = { inputFormat: 'ndjson', inputSource: 'urn:x:y', input: [{ type: 'Patient', url }] };
    const headers = { 'content-type': 'application/json' };
    const begun = (user: number): Promise<Answer> =>
      suite.world.ask('POST $import', { body, headers, actor: { ...physician, user: `dr-${user}` } });
    assert.equal(IMPORT_LIMITS.ofOnePerson, 1);
    for (let user = 0; user < IMPORT_LIMITS.underWay; user += 1) {
      assert.equal((await begun(user)).status, 202);
      if (user === 0) assert.match((await begun(user)).json.issue[0].diagnostics as string, /of your own/);
    }
    const refused = await begun(IMPORT_LIMITS.underWay);
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers['Retry-After']) > 0);
  });

  it('imports remembered: the oldest that is done is forgotten', async () => {
    suite.world.open({ remembered: 2 });
    const paths: string[] = [];
    for (const id of ['a', 'b']) {
      paths.push(await suite.world.begun([{ type: 'Patient', url: suite.files.put(`/${id}`, line(id)) }]));
      await suite.world.done(paths.at(-1) ?? '');
    }
    assert.equal((await suite.world.ask(`GET ${paths[0]}`)).status, 200);
    await imported(suite.files.put('/c', line('c')));
    assert.equal((await suite.world.ask(`GET ${paths[0]}`)).status, 404);
    assert.equal((await suite.world.ask(`GET ${paths[1]}`)).status, 200);
  });

  it('days remembered: what is told of a done import is forgotten after them', async () => {
    const path = await suite.world.begun([{ type: 'Patient', url: suite.files.put('/bad', '{\n') }]);
    await suite.world.done(path);
    const past = (more: number): number => Date.now() + IMPORT_LIMITS.rememberedDays * 86_400_000 + more;
    suite.world.now = () => past(-60_000);
    suite.world.desk.goOn();
    assert.equal((await suite.world.ask(`GET ${path}`)).status, 200);
    suite.world.now = () => past(1);
    suite.world.desk.goOn();
    assert.equal((await suite.world.ask(`GET ${path}`)).status, 404);
    assert.deepEqual([suite.world.rows('import_problems'), suite.world.rows('import_jobs')], [0, 0]);
  });

  it('problems of an import: one more ends it, and says so', async () => {
    suite.world.open({ problems: 3, partLines: 2 });
    const bad = '{\n'.repeat(3);
    const fits = await imported(suite.files.put('/three', `${bad}${line('a')}`));
    assert.deepEqual([fits.output[0].count, fits.error[0].count], [1, 3]);
    const manifest = await imported(suite.files.put('/four', `${bad}{\n${line('b')}`));
    assert.deepEqual([manifest.output[0].count, manifest.error[0].count], [0, 5]);
    assert.match((await suite.world.problems(manifest))[0]![2], /more than 3 lines cannot be taken/);
    assert.equal((await suite.world.ask('GET Patient/b')).status, 404);
  });

  it('lines and bytes of a part: one more begins the next', async () => {
    const parts = async (text: string): Promise<number> => {
      const before = suite.world.server.ledger.writes;
      await imported(suite.files.put('/parts', text));
      return suite.world.server.ledger.writes - before;
    };
    suite.world.open({ partLines: 2 });
    assert.deepEqual([await parts(line('a') + line('b')), await parts(line('c') + line('d') + line('e'))], [1, 2]);
    const wide = { name: [{ family: 'ä'.repeat(500) }] };
    suite.world.open({ partBytes: 2 * Buffer.byteLength(line('f', wide).trimEnd()) });
    assert.equal(await parts(line('f', wide) + line('g', wide)), 1);
    suite.world.open({ partBytes: 2 * Buffer.byteLength(line('f', wide).trimEnd()) - 1 });
    assert.equal(await parts(line('h', wide) + line('i', wide)), 2);
  });

  it('characters of inputSource: one more is refused', async () => {
    const input = [{ type: 'Patient', url: suite.files.put('/p', line('p')) }];
    const inputSource = `urn:x:${'y'.repeat(IMPORT_LIMITS.sourceCharacters - 6)}`;
    await suite.world.done(await suite.world.begun(input, { inputSource }));
    await assert.rejects(suite.world.begun(input, { inputSource: `${inputSource}y` }), /^Error: 400 /);
  });

  it('attempts: a file that breaks off once more is given up', async () => {
    let asked = 0;
    const url = suite.files.put('/busy', (_request, response) => {
      asked += 1;
      if (asked < 2) response.writeHead(503).end();
      else response.end(line('late'));
    });
    suite.world.open({ attempts: 2 });
    assert.deepEqual((await imported(url)).error, []);
    asked = 0;
    suite.world.open({ attempts: 1 });
    assert.equal((await imported(url)).error[0].count, 1);
  });

  it('bytes a second: a server that drips holds no import', async () => {
    suite.world.open({ silentSeconds: 0.5, slowestBytes: 100 });
    const url = suite.files.put('/drip', (_request, response) => {
      const dripping = setInterval(() => response.write(' '), 50);
      response.on('close', () => {
        clearInterval(dripping);
      });
    });
    const manifest = await imported(url);
    assert.match((await suite.world.problems(manifest))[0]![2], /less than 100 bytes a second/);
    assert.equal(suite.files.asked.length, 1);
  });

  it('seconds of silence: a file whose server sends nothing more is given up, with what it sent before', async () => {
    suite.world.open({ silentSeconds: 0.05 });
    const manifest = await imported(silent());
    assert.match((await suite.world.problems(manifest))[0]![2], /cannot be read/);
    assert.ok(suite.files.asked.length > 1, 'it was not asked again');
  }).timeout(60_000);

  it('hours: an import that outlasts them ends with what it has, also between two parts of a sound file', async () => {
    const url = suite.files.put('/busy', (_request, response) => response.writeHead(503).end());
    const path = await suite.world.begun([{ type: 'Patient', url }]);
    const late = Date.now() + IMPORT_LIMITS.hours * 3_600_000 + 60_000;
    suite.world.now = () => late;
    assert.match((await suite.world.problems(await suite.world.done(path)))[0]![2], /not done within 24 hours/);
    suite.world.now = Date.now;
    suite.world.open(
      { partLines: 2 },
      {
        fhir: async (request) => {
          const answer = await suite.world.server.router.handle(request);
          suite.world.now = () => late;
          return answer;
        },
      },
    );
    const manifest = await imported(suite.files.put('/sound', ['a', 'b', 'c', 'd'].map((id) => line(id)).join('')));
    assert.deepEqual([manifest.output[0].count, manifest.error[0].count], [2, 1]);
    assert.match((await suite.world.problems(manifest))[0]![2], /not done within 24 hours/);
    assert.equal((await suite.world.ask('GET Patient/c')).status, 404);
  });

  it('hours: a gateway that goes on with it after them ends it', async () => {
    const path = suite.world.statusOf(await suite.world.uploaded(line('a')));
    suite.world.desk.stop();
    suite.world.now = () => Date.now() + IMPORT_LIMITS.hours * 3_600_000 + 60_000;
    suite.world.open();
    suite.world.desk.goOn();
    assert.equal((await suite.world.done(path)).output[0].count, 0);
    assert.equal(suite.world.rows('import_uploads'), 0);
  });
});

describe('the lines of a file', () => {
  it('are held one at a time, however long they are', async () => {
    const piece = Buffer.alloc(1024 * 1024, 'x');
    const before = process.memoryUsage().rss;
    const bytes = Readable.from(
      (function* () {
        for (let at = 0; at < 300; at += 1) yield piece;
        yield Buffer.from('\n{}\n');
      })(),
    );
    const found = [];
    for await (const line of linesOf(bytes, 4_096)) found.push(line);
    assert.deepEqual(found, [
      { number: 1, problem: 'the line is longer than 4096 bytes' },
      { number: 2, text: '{}' },
    ]);
    assert.ok(process.memoryUsage().rss - before < 100 * 1024 * 1024);
  });
});
