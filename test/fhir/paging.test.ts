import { strict as assert } from 'node:assert';

import { type Answer, BASE, type Json, serverOfSuite } from '../support/fhir-server.js';
import { observation, patient } from './resources.js';

/** Links between pages (R4 http.html#paging): forwards and back again, whatever is written meanwhile. */
describe('FHIR paging', () => {
  const server = serverOfSuite();
  before(async () => {
    for (const [at, birthDate] of ['1950', '1940', '1960', '1940', '1970'].entries()) {
      await server.ask(`PUT Patient/p${at}`, { body: patient({ id: `p${at}`, birthDate }) });
      await server.ask(`PUT Observation/o${at}`, { body: observation(`Patient/p${at}`, { id: `o${at}` }) });
    }
  });

  const linkOf = ({ json }: Answer, relation: string): string | undefined =>
    (json.link as { relation: string; url: string }[])
      .find((each) => each.relation === relation)
      ?.url.replace(`${BASE}/`, '');
  const idsOf = ({ json }: Answer): string =>
    ((json.entry ?? []) as Json[]).map((each) => (each.resource?.id ?? each.response.etag) as string).join(' ');
  const follow = async (answer: Answer, relation: string): Promise<Answer> => {
    const url = linkOf(answer, relation) ?? assert.fail(`no ${relation}`);
    return server.ask(`GET ${url}`);
  };

  /** Goes to the end by `next` and back by `previous`; the pages must be the same ones. */
  async function there(first: string): Promise<string[]> {
    let page = await server.ask(`GET ${first}`);
    const pages = [idsOf(page)];
    assert.equal(linkOf(page, 'previous'), undefined);
    while (linkOf(page, 'next') !== undefined) pages.push(idsOf((page = await follow(page, 'next'))));
    assert.equal(idsOf(await follow(page, 'first')), pages[0]);
    for (const before of pages.slice(0, -1).reverse())
      assert.equal(idsOf((page = await follow(page, 'previous'))), before);
    assert.equal(linkOf(page, 'previous'), undefined);
    assert.equal(idsOf(await follow(page, 'next')), pages[1]);
    return pages;
  }

  it('of a search leads on, back and to the start', async () => {
    assert.deepEqual(await there('Patient?_count=2'), ['p0 p1', 'p2 p3', 'p4']);
    assert.deepEqual(await there('Patient?_count=2&_sort=birthdate'), ['p1 p3', 'p0 p2', 'p4']);
    assert.deepEqual(await there('Patient?_count=2&_sort=-birthdate,-_id'), ['p4 p2', 'p0 p3', 'p1']);
  });

  it('of all types goes through them in one order', async () => {
    assert.deepEqual(await there('?_type=Patient,Observation&_count=4&_sort=-_lastUpdated'), [
      ...['o4 p4 o3 p3', 'o2 p2 o1 p1', 'o0 p0'],
    ]);
    assert.equal(idsOf(await server.ask('GET ?_id=p1,o1,p0')), 'p0 p1 o1');
    const { json } = await server.ask('GET ?_type=Observation&_id=o1&_include=Observation:subject');
    assert.deepEqual(
      (json.entry as Json[]).map((each) => each.search.mode as string),
      ['match', 'include'],
    );
    assert.equal((await server.ask('GET ?_type=Patient,Observation&_count=1')).json.total, 10);
    assert.equal((await server.ask('GET ?_type=Patient,Observation&_summary=count')).json.total, 10);
    assert.equal((await server.ask('GET ?_type=Patient&_total=none')).json.total, undefined);
  });

  it('of a history and of a record does, too', async () => {
    for (const active of [true, false]) await server.ask('PUT Patient/p0', { body: patient({ id: 'p0', active }) });
    assert.deepEqual(await there('Patient/p0/_history?_count=1&_elements=id'), ['p0', 'p0', 'p0']);
    const last = await follow(await server.ask('GET Patient/_history?_count=3'), 'next');
    assert.equal(last.json.entry.length, 3);
    assert.deepEqual(await there('Patient/p0/$everything?_count=1'), ['p0', 'o0']);
  });

  it('is not moved by what is written in front of it', async () => {
    const second = await follow(await server.ask('GET Patient?_count=2&_sort=birthdate'), 'next');
    await server.ask('PUT Patient/p9', { body: patient({ id: 'p9', birthDate: '1930' }) });
    const back = await follow(second, 'previous');
    assert.equal(idsOf(back), 'p1 p3');
    assert.equal(idsOf(await follow(back, 'previous')), 'p9');
  });

  it('says nothing of pages where there is one, and takes no cursor that it did not give', async () => {
    const one = await server.ask('GET Patient?_id=p1');
    assert.deepEqual(
      (one.json.link as Json[]).map((each) => each.relation as string),
      ['self'],
    );
    for (const path of ['Patient?_cursor=x', '?_cursor=0.x', 'Patient/p0/_history?_cursor=--1']) {
      assert.equal((await server.ask(`GET ${path}`)).status, 400, path);
    }
  });

  it('leaves out what is hidden, forwards and back', async () => {
    server.hidden.add('Patient/p3');
    assert.deepEqual(await there('Patient?_count=2&birthdate=ge1940'), ['p0 p1', 'p2 p4']);
    server.hidden.clear();
  });
});
