import { strict as assert } from 'node:assert';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';

import { linesOf } from '@salus/gateway/fhir/import/lines';
import { IMPORT_LIMITS } from '@salus/gateway/fhir/import/limits';

import type { Json } from '../support/fhir-server.js';
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

  it('imports under way: one more is asked to come again', async () => {
    const url = silent();
    for (let at = 0; at < IMPORT_LIMITS.underWay; at += 1) await suite.world.begun([{ type: 'Patient', url }]);
    const body = { inputFormat: 'ndjson', inputSource: 'urn:x:y', input: [{ type: 'Patient', url }] };
    const { status, headers } = await suite.world.ask('POST $import', { body });
    assert.equal(status, 429);
    assert.ok(Number(headers['Retry-After']) > 0);
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

  it('problems of an import: further ones are counted, and not told one by one', async () => {
    suite.world.open({ problems: 3 });
    const bad = '{\n'.repeat(3);
    assert.equal((await suite.world.problems(await imported(suite.files.put('/three', bad)))).length, 3);
    const manifest = await imported(suite.files.put('/four', `${bad}{\n`));
    assert.equal(manifest.error[0].count, 4);
    assert.equal((await suite.world.problems(manifest)).length, 3);
  });

  it('seconds of silence: a file whose server sends nothing more is given up, with what it sent before', async () => {
    suite.world.open({ silentSeconds: 0.05 });
    const manifest = await imported(silent());
    assert.match((await suite.world.problems(manifest))[0]![2], /cannot be read/);
    assert.ok(suite.files.asked.length > 1, 'it was not asked again');
  }).timeout(60_000);

  it('hours: an import that outlasts them ends with what it has', async () => {
    const url = suite.files.put('/busy', (_request, response) => response.writeHead(503).end());
    suite.world.open({ hours: 1 });
    const path = await suite.world.begun([{ type: 'Patient', url }]);
    suite.world.now = () => Date.now() + 3_600_001;
    const manifest = await suite.world.done(path);
    assert.match((await suite.world.problems(manifest))[0]![2], /answers 503/);
    assert.ok(suite.files.asked.length < 5, `asked ${suite.files.asked.length} times`);
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
