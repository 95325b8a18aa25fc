import { strict as assert } from 'node:assert';
import { DatabaseSync } from 'node:sqlite';

import { isDecidedWithin } from '@salus/gateway/access/searchsets';
import { digestOfFile } from '@salus/gateway/projection/digest';

import { eventually } from '../support/eventually.js';
import { FhirServer, idsOf, type Json, physician } from '../support/fhir-server.js';
import { observation, patient } from './resources.js';
import { admin, eyes, LEFT, parameter, Stepwise } from './stepwise.js';

describe('posted search parameters', () => {
  let at: Stepwise;
  beforeEach(() => {
    at = new Stepwise();
  });
  afterEach(() => {
    at.close();
  });

  const named = async (type = 'Patient', code = 'eye-color'): Promise<Json> => {
    const { json } = await at.ask('GET metadata');
    const { searchParam } = (json.rest[0].resource as Json[]).find((each) => each.type === type);
    return (searchParam as Json[]).find((each) => each.name === code);
  };

  it('are derived step by step, refused until they find all, and shown in the CapabilityStatement with how far they are', async () => {
    await at.patients('green', 'blue', 'green');
    assert.equal((await at.ask('GET Patient?eye-color=green')).status, 400);
    assert.equal((await at.post()).status, 201);
    at.projection.derive(0);
    const early = await at.ask('GET Patient?eye-color=green');
    assert.equal(early.status, 503);
    const [issue] = early.json.issue;
    assert.equal(issue.code, 'transient');
    assert.match(issue.diagnostics, /'eye-color' of Patient is still derived \(1 of 3 resources\)/);
    assert.equal((await named()).documentation, 'still derived: 1 of 3 resources');
    assert.equal(at.projection.parameters.deriving.left, 2);
    await at.ask('PUT Patient/p3', patient({ id: 'p3', ...eyes('green') }));
    await at.ask('PUT Patient/p2', patient({ id: 'p2', ...eyes('grey') }));
    assert.deepEqual(await at.found('Patient?eye-color=green'), ['p0', 'p3']);
    assert.deepEqual(await at.found('Patient?eye-color=gr'), ['p0', 'p2', 'p3']);
    const { documentation, definition, type } = await named();
    assert.deepEqual([documentation, definition, type], [undefined, 'http://example.org/eye-color', 'string']);
    assert.equal(at.projection.parameters.deriving.left, 0);
    assert.equal(at.projection.digest(), at.rebuilt());
  });

  it('are left out and said so where handling is lenient, as long as they do not find all', async () => {
    await at.patients('green', 'blue');
    await at.post();
    const lenient = { prefer: 'handling=lenient' };
    for (const search of ['Patient?eye-color=green', 'Patient?_has:Patient:link:eye-color=green&eye-color=blue']) {
      const { status, json } = await at.ask(`GET ${search}`, undefined, physician, lenient);
      assert.equal(status, 200);
      assert.deepEqual(idsOf(json).sort(), ['p0', 'p1']);
      const outcome = (json.entry as Json[]).find((each) => each.search.mode === 'outcome');
      assert.match(outcome.resource.issue[0].diagnostics, /still derived \(0 of 2 resources\), and was left out/);
      assert.doesNotMatch(json.link[0].url as string, /eye-color/);
    }
    // What cannot be left out is refused whatever the handling: the order would be another.
    assert.equal((await at.ask('GET Patient?_sort=eye-color', undefined, physician, lenient)).status, 503);
    const conditional = await at.ask('PUT Patient?eye-color=green', patient(eyes('green')), physician, lenient);
    assert.equal(conditional.status, 503);
    assert.equal((await at.ask('DELETE Patient?eye-color=green')).status, 503);
  });

  it('go on after a restart where they were, and the digest waits for them', async () => {
    await at.patients('green', 'blue', 'green', 'green');
    await at.post();
    at.projection.derive(0);
    at.projection.derive(0);
    at.restart();
    const { parameters } = at.projection;
    assert.deepEqual(parameters.progress(parameters.of('Patient')['eye-color']!), { done: 2, of: 4 });
    assert.equal((await at.ask('GET Patient?eye-color=green')).status, 503);
    assert.equal(digestOfFile(at.file).deriving, 1);
    assert.notEqual(digestOfFile(at.file).digest, at.rebuilt());
    assert.deepEqual(await at.found('Patient?eye-color=green'), ['p0', 'p2', 'p3']);
    assert.deepEqual([digestOfFile(at.file).deriving, digestOfFile(at.file).digest], [0, at.rebuilt()]);
  });

  it('are switched off and on by their status, and leave no row behind', async () => {
    await at.patients('green', 'blue');
    await at.post();
    assert.deepEqual(await at.found('Patient?eye-color=green'), ['p0']);
    assert.ok(at.rows() > 0);
    await at.post({ status: 'retired' });
    assert.equal((await at.ask('GET Patient?eye-color=green')).status, 400);
    assert.equal(await named(), undefined);
    at.projection.derive(0);
    // Taking away is under way when it is asked for again.
    await at.post({ status: 'active' });
    assert.deepEqual(await at.found('Patient?eye-color=blue'), ['p1']);
    assert.equal(at.projection.digest(), at.rebuilt());
    assert.equal((await at.ask('DELETE SearchParameter/eye-color', undefined, admin)).status, 204);
    while (at.projection.derive(Infinity));
    assert.equal(at.rows(), 0);
    assert.equal(at.projection.digest(), at.rebuilt());
  });

  it('are derived anew when what they ask for changes, and not when their description does', async () => {
    await at.patients('green', 'blue');
    await at.post();
    assert.deepEqual(await at.found('Patient?eye-color=green'), ['p0']);
    await at.post({ description: 'Said better' });
    assert.equal((await at.ask('GET Patient?eye-color=green')).status, 200);
    await at.post({ expression: `Patient.extension('${LEFT}').value` });
    assert.equal((await at.ask('GET Patient?eye-color=green')).status, 503);
    assert.deepEqual(await at.found('Patient?eye-color=green'), []);
    assert.equal(at.projection.digest(), at.rebuilt());
  });

  it('are gone with a SearchParameter that is purged', async () => {
    await at.patients('green');
    await at.post();
    assert.deepEqual(await at.found('Patient?eye-color=green'), ['p0']);
    at.ledger.purge('SearchParameter', 'eye-color');
    at.catchUp();
    assert.equal((await at.ask('GET Patient?eye-color=green')).status, 400);
    assert.equal(at.projection.digest(), at.rebuilt());
    assert.equal(at.rows(), 0);
  });

  it('are indexed anew with everything else when the code is another', async () => {
    await at.patients('green', 'blue');
    await at.post();
    assert.deepEqual(await at.found('Patient?eye-color=green'), ['p0']);
    const database = new DatabaseSync(at.file);
    database.exec("DELETE FROM posting; DELETE FROM term; DELETE FROM posted; UPDATE checkpoint SET form = 'older'");
    database.close();
    at.restart();
    assert.equal((await at.ask('GET Patient?eye-color=green')).status, 200);
    assert.equal(at.projection.digest(), at.rebuilt());
  });

  it('find by every kind, in chains and reverse chains, includes, sorts and by modifiers', async () => {
    await at.patients('green', 'Blue');
    const valueQuantity = { value: 5.4, unit: 'mg', system: 'http://unitsofmeasure.org', code: 'mg' };
    const extension = [
      { url: 'http://example.org/seen', valueDateTime: '2026-03-01' },
      { url: 'http://example.org/kin', valueReference: { reference: 'Patient/p1' } },
      { url: 'http://example.org/site', valueUri: 'http://example.org/sites/7' },
      { url: 'http://example.org/rank', valueInteger: 7 },
      { url: 'http://example.org/dose', valueQuantity },
      { url: 'http://example.org/group', valueCoding: { system: 'urn:groups', code: 'A' } },
    ];
    const body = observation('Patient/p0', { id: 'o', extension, issued: '2026-03-02T10:00:00Z' });
    assert.equal((await at.ask('PUT Observation/o', body)).status, 201);
    await at.ask('PUT Observation/x', observation('Patient/p1', { id: 'x' }));
    await at.post();
    const own = (code: string, type: string, expression: string, more: Json = {}): Promise<Json> =>
      at.post({ code, type, expression, url: `http://example.org/${code}`, base: ['Observation'], ...more }, code);
    const value = (name: string): string => `Observation.extension.where(url='http://example.org/${name}').value`;
    const all = [
      await own('seen', 'date', `(${value('seen')} as dateTime) | Observation.issued`),
      await own('kin', 'reference', value('kin'), { target: ['Patient'] }),
      await own('site', 'uri', value('site')),
      await own('rank', 'number', value('rank')),
      await own('dose', 'quantity', value('dose')),
      await own('group', 'token', `${value('group')}.ofType(Coding)`),
      await own('is-about', 'reference', 'Observation.subject.where(resolve() is Patient)', { target: ['Patient'] }),
    ];
    for (const { status, json } of all) assert.equal(status, 201, JSON.stringify(json));
    for (const search of [
      'Observation?seen=2026-03-01',
      'Observation?seen=gt2026-03-02T09:00:00Z',
      'Observation?kin=Patient/p1',
      'Observation?kin=p1',
      'Observation?kin:Patient.eye-color=blue',
      'Observation?kin.eye-color:exact=Blue',
      'Observation?site:below=http://example.org/sites',
      'Observation?rank=gt6',
      'Observation?dose=0.0054|http://unitsofmeasure.org|g',
      'Observation?group=urn:groups|A',
      'Observation?group:missing=false',
      'Observation?is-about.eye-color=green',
      'Observation?_filter=rank eq 7',
    ]) {
      assert.deepEqual(await at.found(search.replaceAll(' ', '%20')), ['o'], search);
    }
    assert.deepEqual(await at.found('Patient?_has:Observation:kin:group=A'), ['p1']);
    const { json } = await at.ask('GET Observation?rank=7&_include=Observation:kin');
    assert.deepEqual(idsOf(json, 'include'), ['p1']);
    const everything = await at.ask('GET Observation?rank=7&_include=*');
    assert.ok(idsOf(everything.json, 'include').includes('p1'));
    const sorted = await at.ask('GET Patient?_sort=-eye-color');
    assert.deepEqual(idsOf(sorted.json), ['p0', 'p1']);
    assert.equal(at.projection.digest(), at.rebuilt());
  });

  it('see no more than a search may: what is hidden is not found, nor what is left out of a resource', async () => {
    await at.patients('green', 'green');
    await at.post();
    at.shown = (stored) => (stored.id === 'p1' ? undefined : stored);
    assert.deepEqual(await at.found('Patient?eye-color=green'), ['p0']);
    at.shown = (stored) => ({ ...stored, isPart: true, lacks: ['extension'] });
    assert.deepEqual(await at.found('Patient?eye-color=green'), []);
    assert.deepEqual(await at.found('Patient?eye-color:missing=true'), []);
  });

  it('are not asked of another hospital', async () => {
    await at.post();
    const asked = (search: string): boolean => {
      const request = { method: 'GET', path: 'Patient', query: new URLSearchParams(search), headers: {} };
      return isDecidedWithin({ ...request, actor: physician }, 'Patient', 'p');
    };
    assert.equal(asked('_id=p'), true);
    assert.equal(asked('_id=p&eye-color=green'), false);
    assert.equal(asked('_id=p&_sort=eye-color'), false);
  });

  it('are resources like any other where others than administrators write them, who change none that is in effect', async () => {
    await at.patients('green');
    const body = parameter({ id: 'mine' });
    const nurse = { ...physician, role: 'nurse' };
    assert.equal((await at.ask('PUT SearchParameter/mine', body, nurse)).status, 201);
    const taken = parameter({ id: 'taken', code: 'gender', expression: 'Patient.name + 1' });
    assert.equal((await at.ask('PUT SearchParameter/taken', taken)).status, 201);
    assert.equal((await at.ask('GET Patient?eye-color=green')).status, 400);
    assert.equal((await at.post({ status: 'draft', expression: 'nonsense(' }, 'draft')).status, 201);
    assert.equal((await at.post()).status, 201);
    for (const [line, sent] of [
      ['PUT SearchParameter/eye-color', parameter({ id: 'eye-color', status: 'retired' })],
      ['DELETE SearchParameter/eye-color', undefined],
    ] as const) {
      const { status, json } = await at.ask(line, sent);
      assert.equal(status, 403);
      assert.equal(json.issue[0].details.coding[0].code, 'posted-parameter');
    }
    assert.deepEqual(await at.found('Patient?eye-color=green'), ['p0']);
  });

  it('of one code and type are one at a time, in a transaction too', async () => {
    await at.post();
    const second = await at.post({}, 'second');
    assert.equal(second.status, 422);
    assert.match(second.json.issue[0].diagnostics as string, /SearchParameter\/eye-color has this code/);
    const entry = ['a', 'b'].map((id) => ({
      resource: parameter({ id, code: 'height', expression: 'Patient.name.text' }),
      request: { method: 'PUT', url: `SearchParameter/${id}` },
    }));
    const both = await at.ask('POST ', { resourceType: 'Bundle', type: 'transaction', entry }, admin);
    assert.equal(both.status, 422);
    // As two gateways might write them at the same moment: the first on the ledger stands, after a rebuild too.
    await at.patients('green');
    const text = (id: string, expression: string): string => JSON.stringify(parameter({ id, expression }));
    await at.ledger.write(admin, [{ type: 'SearchParameter', id: 'aaa', expect: 0, text: text('aaa', 'Patient.id') }]);
    at.catchUp();
    assert.deepEqual(await at.found('Patient?eye-color=green'), ['p0']);
    assert.equal(at.projection.digest(), at.rebuilt());
  });

  it('are derived in the background while the server answers', async () => {
    const server = new FhirServer();
    try {
      const entry = Array.from({ length: 300 }, (_, number) => ({
        resource: patient({ id: `p${number}`, ...eyes(number % 3 === 0 ? 'green' : 'blue') }),
        request: { method: 'PUT', url: `Patient/p${number}` },
      }));
      const bundle = { resourceType: 'Bundle', type: 'transaction', entry };
      assert.equal((await server.ask('POST ', { body: bundle })).status, 200);
      assert.equal((await server.ask('POST SearchParameter', { body: parameter(), actor: admin })).status, 201);
      await eventually(async () => {
        const { status, json } = await server.ask('GET Patient?eye-color=green&_total=accurate&_count=1');
        assert.equal(status, 200);
        assert.equal(json.total, 100);
      });
    } finally {
      await server.close();
    }
    assert.deepEqual(server.faults, []);
  });
});
