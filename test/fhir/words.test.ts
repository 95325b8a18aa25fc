import { strict as assert } from 'node:assert';

import { WORDS_LIMITS } from '@salus/gateway/fhir/words-expression';
import { INDEXED_WORDS, wordPlaces } from '@salus/gateway/projection/values/words';

import { idsOf, serverOfSuite, type Answer, type Json } from '../support/fhir-server.js';
import { narrative, observation, patient } from './resources.js';

/** What a narrative can consist of so that nothing in it ends. */
const ENDLESS: Readonly<Record<string, string>> = {
  brackets: '<',
  'tags inside words': '<b ',
  comments: '<!--',
  'ends of tags': '>',
  entities: '&',
  'entities with a number': '&#1',
  'one word': 'a',
  'accents on one letter': '\u0301\u0316',
  'short words': 'a ',
};

describe('the words of a hostile narrative', () => {
  const narrativeOf = (part: string, length: number): Json => ({
    ...{ resourceType: 'Basic', text: narrative(`start a${part.repeat(length / part.length)}`) },
  });
  /** The least of several, in ms. */
  const cost = (resource: Json): number =>
    Math.min(
      ...Array.from({ length: 5 }, () => {
        const started = performance.now();
        assert.ok(wordPlaces(resource).length > 0);
        return performance.now() - started;
      }),
    );

  for (const [name, part] of Object.entries(ENDLESS)) {
    it(`cost no more than their length: ${name}`, () => {
      const [one, ten] = [cost(narrativeOf(part, 100_000)), cost(narrativeOf(part, 1_000_000))];
      // Ten times as long; what looks again from each character takes a hundred times. A few ms are the machine's.
      assert.ok(ten < 40 * one + 20, `${one} ms for 100 kB, ${ten} ms for 1 MB`);
    });
  }

  it('are not read behind the last that is indexed', () => {
    const words = (count: number): Json => ({ resourceType: 'Basic', code: { text: 'so '.repeat(count) } });
    const [all, more] = [cost(words(INDEXED_WORDS)), cost(words(200 * INDEXED_WORDS))];
    assert.ok(more < 10 * all + 20, `${all} ms for what is indexed, ${more} ms for 200 times that`);
  });
});

describe('FHIR search by words', () => {
  const server = serverOfSuite();
  const put = async (resource: Json): Promise<Json> => {
    const answer = await server.ask(`PUT ${resource.resourceType}/${resource.id}`, { body: resource });
    assert.ok(answer.status < 300, JSON.stringify(answer.json));
    return answer.json;
  };
  const ask = (type: string, name: string, value: string): Promise<Answer> =>
    server.ask(`GET ${type}?${name}=${encodeURIComponent(value)}`);

  before(async () => {
    await put(patient({ id: 'p1', text: narrative('<p>Zoë Müller</p><p>smoker &amp; diver</p>') }));
    await put(
      observation('Patient/p1', {
        id: 'o1',
        text: narrative('<h1>Bone marrow</h1> of the <b>li</b>ver,<!-- hidden > here --> with metastases'),
        note: [{ text: 'Leukaemia suspected' }, { text: 'call back' }],
      }),
    );
    await put(observation('Patient/p1', { id: 'o2', text: narrative('marrow of bone'), note: [{ text: 'liver' }] }));
    const image = { contentType: 'image/png', data: 'QUJDREVG', url: 'http://images.example/secretpath' };
    await put({
      ...{ resourceType: 'Media', id: 'm1', status: 'completed', content: image },
      ...{ subject: { reference: 'Patient/p1' }, createdDateTime: '2019-08-07' },
      device: { reference: '#d' },
      contained: [
        { resourceType: 'Device', id: 'd', text: narrative('endoscope'), patient: { reference: 'Patient/p1' } },
      ],
    });
  });

  const cases: readonly (readonly [string, string, string, readonly string[]])[] = [
    ['Observation', '_text', 'bone', ['o1', 'o2']],
    ['Observation', '_text', 'BONE', ['o1', 'o2']],
    ['Observation', '_text', '"bone marrow"', ['o1']],
    ['Observation', '_text', '"marrow of bone"', ['o2']],
    ['Observation', '_text', '"marrow of the"', ['o1']],
    ['Observation', '_text', 'liver', ['o1']],
    ['Observation', '_content', 'liver', ['o1', 'o2']],
    ['Observation', '_text', 'leukaemia', []],
    ['Observation', '_content', 'leukaemia', ['o1']],
    ['Observation', '_content', 'leuko*', []],
    ['Observation', '_content', 'LEUKÁ*', ['o1']],
    ['Observation', '_content', '"suspected call"', []],
    ['Observation', '_content', '"metastases final"', []],
    ['Observation', '_content', 'glucose', ['o1', 'o2']],
    ['Observation', '_content', '2339-0', ['o1', 'o2']],
    ['Observation', '_text', '(bone or lung) and metastases', ['o1']],
    ['Observation', '_text', '(lung OR liver) AND metast*', ['o1']],
    ['Observation', '_text', 'bone metastases', ['o1']],
    ['Observation', '_text', 'metastases,"marrow of bone"', ['o1', 'o2']],
    ['Observation', '_text', 'bone not metastases', ['o2']],
    ['Observation', '_text', 'not (metastases or lung)', ['o2']],
    ['Observation', '_text', 'metastases or bone and lung', ['o1']],
    ['Observation', '_text', 'hidden', []],
    ['Observation', '_text', 'of marrow', ['o1', 'o2']],
    ['Patient', '_text', 'muller', ['p1']],
    ['Patient', '_text', '"müller smoker"', ['p1']],
    ['Patient', '_content', '"zoe muller"', ['p1']],
    ['Media', '_text', 'endoscope', ['m1']],
    ['Media', '_content', 'secretpath', []],
    ['Media', '_content', 'qujdrevg', []],
    ['Media', '_content', 'p1', []],
    ['Media', '_content', '2019', []],
    ['Observation', 'patient._text', 'smoker', ['o1', 'o2']],
    ['Patient', '_has:Observation:patient:_content', 'leukaemia', ['p1']],
  ];
  for (const [type, name, value, expected] of cases) {
    it(`finds ${expected.join(' ') || 'nothing'} of ${type} by ${name}=${value}`, async () => {
      const answer = await ask(type, name, value);
      assert.equal(answer.status, 200, JSON.stringify(answer.json));
      assert.deepEqual(idsOf(answer.json).sort(), expected);
      assert.equal(answer.json.total, expected.length);
    });
  }

  it('finds what is there now, page by page, across types and by POST', async () => {
    await put(patient({ id: 'p2', text: narrative('formerly') }));
    await put(patient({ id: 'p2', text: narrative('nowadays smoker') }));
    assert.deepEqual(idsOf((await ask('Patient', '_text', 'formerly')).json), []);
    const first = await server.ask('GET Patient?_text=smoker&_count=1');
    assert.deepEqual(idsOf(first.json), ['p1']);
    const next = (first.json.link as Json[]).find((link) => link.relation === 'next')?.url as string;
    assert.deepEqual(idsOf((await server.ask(`GET ${next.split('/R4/')[1] ?? ''}`)).json), ['p2']);
    assert.deepEqual(idsOf((await server.ask('GET ?_content=zoe&_type=Patient,Observation')).json), ['p1', 'p2']);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const posted = await server.ask('POST Patient/_search', { headers, body: '_text=nowadays' });
    assert.deepEqual(idsOf(posted.json), ['p2']);
    await server.ask('DELETE Patient/p2');
    assert.deepEqual(idsOf((await ask('Patient', '_text', 'nowadays')).json), []);
  });

  it('finds nothing of what is hidden, itself or through a chain', async () => {
    server.hidden.add('Patient/p1').add('Observation/o1');
    for (const [type, name, value] of [
      ['Patient', '_text', 'smoker'],
      ['Observation', 'patient._text', 'smoker'],
      ['Observation', '_content', 'leukaemia'],
      ['Patient', '_has:Observation:patient:_content', 'leukaemia'],
    ] as const) {
      const hidden = await ask(type, name, value);
      const absent = await ask(type, name, 'nowhere');
      assert.deepEqual(idsOf(hidden.json), [], name);
      assert.equal(hidden.json.total, absent.json.total, name);
    }
    server.hidden.clear();
  });

  it('refuses what it cannot read, and one word, bracket or letter over', async () => {
    const words = (count: number): string => Array.from({ length: count }, (_, at) => `w${at}`).join(' or ');
    const nested = (depth: number): string => `${'('.repeat(depth)}bone${')'.repeat(depth)}`;
    const start = 'b'.repeat(WORDS_LIMITS.prefix);
    for (const [value, status] of [
      ['"bone', 400],
      ['(bone', 400],
      ['bone)', 400],
      ['()', 400],
      ['bone or', 400],
      ['and bone', 400],
      ['not', 400],
      ['bone \\', 400],
      ['--', 400],
      ['""', 400],
      ['*', 400],
      ['bone-marr*', 400],
      [`${start}*`, 200],
      [`${start.slice(1)}*`, 400],
      [words(WORDS_LIMITS.words), 200],
      [words(WORDS_LIMITS.words + 1), 413],
      [`"${'bone '.repeat(WORDS_LIMITS.words + 1)}"`, 413],
      [nested(WORDS_LIMITS.depth), 200],
      [nested(WORDS_LIMITS.depth + 1), 413],
      [`${'not '.repeat(WORDS_LIMITS.depth)}bone`, 200],
      [`${'not '.repeat(WORDS_LIMITS.depth + 1)}bone`, 413],
      [`${'not ('.repeat(WORDS_LIMITS.depth / 2)}bone${')'.repeat(WORDS_LIMITS.depth / 2)}`, 200],
      [`${'not ('.repeat(WORDS_LIMITS.depth / 2)}not bone${')'.repeat(WORDS_LIMITS.depth / 2)}`, 413],
      ['bone'.padEnd(WORDS_LIMITS.characters), 200],
      ['bone'.padEnd(WORDS_LIMITS.characters + 1), 413],
    ] as const) {
      const { status: told, json } = await ask('Observation', '_text', value);
      assert.equal(told, status, value.slice(0, 40));
      if (status !== 200) assert.equal(json.resourceType, 'OperationOutcome');
    }
    assert.equal((await server.ask('GET Observation?_text:exact=bone')).status, 400);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = `_text=${'not+'.repeat(20_000)}bone`;
    assert.equal((await server.ask('POST Observation/_search', { headers, body })).status, 413);
  });

  it('takes a megabyte of narrative in which elements end late, and finds it', async () => {
    const started = performance.now();
    await put({
      resourceType: 'Basic',
      id: 'endless',
      code: { text: 'x' },
      text: narrative(`ahead ${'<b>'.repeat(145_000)}x${'</b>'.repeat(145_000)}`),
    });
    assert.deepEqual(idsOf((await ask('Basic', '_text', 'ahead')).json), ['endless']);
    assert.ok(performance.now() - started < 60_000, 'what looks again from each character takes many minutes');
  });

  it('finds a resource by as many of its words as are indexed', async () => {
    const long = (count: number): Json => ({
      ...{ resourceType: 'Basic', id: 'long', code: { text: `${'so '.repeat(count - 1)}last` } },
    });
    await put(long(INDEXED_WORDS));
    assert.deepEqual(idsOf((await ask('Basic', '_content', 'last')).json), ['long']);
    await put(long(INDEXED_WORDS + 1));
    assert.deepEqual(idsOf((await ask('Basic', '_content', 'last')).json), []);
    const started = performance.now();
    assert.deepEqual(idsOf((await ask('Basic', '_content', `"${'so '.repeat(50)}"`)).json), ['long']);
    assert.ok(performance.now() - started < 2_000, 'a phrase of repeated words costs no more than its places');
  });
});
