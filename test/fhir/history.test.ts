import { strict as assert } from 'node:assert';

import { type Json, serverOfSuite } from '../support/fhir-server.js';
import { observation, patient } from './resources.js';

describe('FHIR history', () => {
  const server = serverOfSuite();
  before(async () => {
    await server.ask('PUT Patient/a', { body: patient({ id: 'a' }) });
    await server.ask('PUT Patient/a', { body: patient({ id: 'a', active: true }) });
    await server.ask('PUT Observation/o', { body: observation('Patient/a', { id: 'o' }) });
    await server.ask('DELETE Patient/a');
  });
  const versions = (bundle: Json): string[] =>
    ((bundle.entry ?? []) as Json[]).map(
      (each) => `${each.request.method} ${(each.fullUrl as string).split('/').at(-2)} ${each.response.etag}`,
    );
  const all = ['DELETE Patient W/"3"', 'PUT Observation W/"1"', 'PUT Patient W/"2"', 'PUT Patient W/"1"'];

  it('of a resource, a type and everything, newest first', async () => {
    const everything = await server.ask('GET _history');
    assert.deepEqual(versions(everything.json), all);
    assert.equal(everything.json.type, 'history');
    assert.equal(everything.json.total, 4);
    assert.equal(everything.json.entry[0].resource, undefined);
    assert.deepEqual(versions((await server.ask('GET Patient/_history')).json), [all[0], all[2], all[3]]);
    assert.deepEqual(versions((await server.ask('GET Observation/o/_history')).json), [all[1]]);
  });

  it('page by page, unmoved by what is written meanwhile', async () => {
    const found: string[] = [];
    let next: string | undefined = '_history?_count=1';
    for (let page = 0; next !== undefined; page++) {
      const { json } = await server.ask(`GET ${next}`);
      found.push(...versions(json));
      const link = (json.link as { relation: string; url: string }[]).find((each) => each.relation === 'next');
      next = link?.url.replace('http://fhir.test/fhir/R4/', '');
      await server.ask(`PUT Basic/b${page}`, { body: { resourceType: 'Basic', id: `b${page}`, code: { text: 'x' } } });
    }
    assert.deepEqual(found, all);
  });

  it('since an instant', async () => {
    const last = (await server.ask('GET Patient/a/_history')).json.entry[0].response.lastModified as string;
    assert.deepEqual(versions((await server.ask(`GET Patient/a/_history?_since=${last}`)).json), [all[0]]);
    const none = await server.ask('GET Patient/a/_history?_since=2099-01-01T00:00:00Z');
    assert.equal(none.status, 200);
    assert.equal(none.json.total, 0);
  });

  it('at a time, oldest first, and in parts', async () => {
    const written = (await server.ask('GET Patient/a/_history')).json.entry as Json[];
    const [, second, first] = written.map((each) => each.response.lastModified as string);
    const justBefore = new Date(Date.parse(second ?? '') - 1).toISOString();
    assert.deepEqual(versions((await server.ask(`GET Patient/a/_history?_at=${justBefore}`)).json), [all[3]]);
    assert.deepEqual(versions((await server.ask(`GET Patient/a/_history?_at=${first?.slice(0, 4) ?? ''}`)).json), [
      ...[all[0], all[2], all[3]],
    ]);
    const oldest = await server.ask('GET _history?_sort=_lastUpdated&_count=2&_elements=gender');
    assert.deepEqual(versions(oldest.json), [all[3], all[2]]);
    assert.deepEqual(Object.keys(oldest.json.entry[0].resource as object), ['resourceType', 'id', 'meta', 'gender']);
    const next = (oldest.json.link as { url: string }[])[1]?.url.replace('http://fhir.test/fhir/R4/', '');
    assert.equal(versions((await server.ask(`GET ${next ?? ''}`)).json)[0], all[1]);
  });

  it('says of one resource how many versions there are, whatever the page', async () => {
    assert.equal((await server.ask('GET Patient/a/_history?_count=1')).json.total, 3);
    const counted = await server.ask('GET Patient/_history?_summary=count');
    assert.deepEqual([counted.json.total, counted.json.entry], [3, undefined]);
  });

  it('refuses what it does not know', async () => {
    for (const query of ['_since=yesterday', '_at=soon', '_sort=name', '_cursor=x', '_count=x', 'nonsense=1']) {
      assert.equal((await server.ask(`GET _history?${query}`)).status, 400, query);
    }
    assert.equal((await server.ask('GET Patient/none/_history')).status, 404);
  });
});
