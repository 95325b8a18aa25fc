import assert from 'node:assert/strict';

import { glucose, laboratoryForNorthside, patient } from '../story/people.js';
import { type FhirBody, networkOfSuite } from '../support/network.js';

/** Resources of the record, in a Bundle that writes them, and in a page that reads them. */
const [CHART, WRITTEN, PAGE] = [5_000, 200, 250];

describe(`a record of ${CHART} resources at another hospital`, function () {
  this.timeout(400_000);
  const network = networkOfSuite();
  let id: string;
  let baker: string;
  let headers: Record<string, string>;
  let written: readonly string[];

  before(async () => {
    const adams = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    baker = await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' });
    const sent = async (path: string, body: object, token: string) => {
      const answer = await network.ask('stmary', path, { token, body });
      assert.ok(answer.status < 300, answer.text);
      return answer;
    };
    id = String((await sent('Patient', patient, adams)).body.id);
    const own = await network.token({ member: 'stmary', user: 'pat', role: 'patient', patient: id });
    const made: string[] = [];
    const write = async (at: number): Promise<void> => {
      const entry = Array.from({ length: WRITTEN }, (_, n) => ({
        resource: glucose(id, at + n),
        request: { method: 'POST', url: 'Observation' },
      }));
      const { body } = await sent('', { resourceType: 'Bundle', type: 'transaction', entry }, adams);
      const locations = (body.entry ?? []) as readonly { response?: { location?: string } }[];
      made.push(...locations.map(({ response }) => /Observation\/([^/]+)/.exec(response?.location ?? '')?.[1] ?? ''));
    };
    const starts = Array.from({ length: CHART / WRITTEN }, (_, index) => index * WRITTEN);
    const four = [0, 1, 2, 3].map(async (first) => {
      for (let index = first; index < starts.length; index += 4) await write(starts[index] ?? 0);
    });
    await Promise.all(four);
    written = made.toSorted();
    const { headers: told } = await sent('Consent', laboratoryForNorthside(id), own);
    headers = { 'x-min-block': told.get('x-block') ?? '' };
  });

  const asked = async (path: string): Promise<FhirBody> => {
    const { status, body, text } = await network.ask('northside', path, { token: baker, headers });
    assert.equal(status, 200, text.slice(0, 500));
    return body;
  };
  /** Ids of Observations; what could not be checked against the ledger, or did not come, fails the test. */
  const idsIn = ({ entry = [] }: FhirBody): string[] =>
    entry.flatMap(({ resource }) => {
      const issues = (resource?.issue ?? []) as readonly { severity: string; diagnostics: string }[];
      for (const { severity, diagnostics } of issues) assert.equal(severity, 'information', diagnostics);
      return resource?.resourceType === 'Observation' ? [String(resource.id)] : [];
    });

  it(`is paged through, ${PAGE} at a time, each resource once`, async () => {
    const found: string[] = [];
    let pages = 0;
    for (let next: string | undefined = `Observation?patient=${id}&_count=${PAGE}`; next !== undefined; pages += 1) {
      const body: FhirBody = await asked(next);
      const ids = idsIn(body);
      assert.ok(ids.length <= PAGE);
      found.push(...ids);
      const links = (body.link ?? []) as readonly { relation: string; url: string }[];
      const url = links.find(({ relation }) => relation === 'next')?.url;
      next = url === undefined ? undefined : new URL(url).pathname + new URL(url).search;
    }
    assert.equal(pages, CHART / PAGE);
    assert.deepEqual(found.toSorted(), written);
  });

  it('comes whole by $everything, whose pages the gateway follows', async () => {
    const body = await asked(`Patient/${id}/$everything?_count=1000`);
    assert.deepEqual(idsIn(body).toSorted(), written);
  });
});
