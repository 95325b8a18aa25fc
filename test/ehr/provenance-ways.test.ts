import { strict as assert } from 'node:assert';

import { closedTo, glucose, patient, resourcesOf } from '../story/people.js';
import { eventually } from '../support/eventually.js';
import { type Answer, type AskOptions, networkOfSuite } from '../support/network.js';
import { type Provenance, provenances } from './provenances.js';

describe('the Provenance of writes, by every other way', function () {
  this.timeout(120_000);
  const network = networkOfSuite();
  let observation: string;

  const as = async (user: string): Promise<string> =>
    await network.token({ member: 'stmary', user, role: 'physician' });
  const ask = async (path: string, options: AskOptions = {}, user = 'dr-adams'): Promise<Answer> =>
    await network.ask('stmary', path, { token: await as(user), ...options });
  const about = async (target: string): Promise<Provenance[]> => provenances(await ask(`Provenance?target=${target}`));

  before(async () => {
    const id = String((await ask('Patient', { body: patient })).body.id);
    observation = String((await ask('Observation', { body: glucose(id, 81) })).body.id);
    const amended = { ...glucose(id, 18), id: observation, status: 'amended' };
    assert.equal((await ask(`Observation/${observation}`, { method: 'PUT', body: amended })).status, 200);
    assert.equal((await ask(`Observation/${observation}`, { method: 'DELETE' })).status, 204);
  });

  const idsOf = (answer: Answer, type: string): string[] => {
    assert.equal(answer.status, 200, answer.text);
    const found = resourcesOf(answer.body).filter(({ resourceType }) => resourceType === type);
    return found.map((each) => String(each.id)).sort();
  };

  it('is reached by reverse chains, by chains and by every include of it', async () => {
    const ann = String((await ask('Patient', { body: patient }, 'dr-reached')).body.id);
    const value = String((await ask('Observation', { body: { ...glucose(ann, 7), code: { text: 'rare' } } })).body.id);
    const [, byHer] = [await about(`Observation/${value}`), encodeURIComponent('urn:salus:user|stmary/dr-reached')];
    assert.deepEqual(idsOf(await ask(`Patient?_has:Provenance:target:agent:identifier=${byHer}`), 'Patient'), [ann]);
    assert.deepEqual(
      idsOf(await ask(`Patient?_has:Provenance:patient:agent:identifier=${byHer}&_id=${ann}`), 'Patient'),
      [ann],
    );
    assert.deepEqual(
      idsOf(await ask(`Observation?_has:Provenance:target:agent:identifier=${byHer}`), 'Observation'),
      [],
    );
    const undecided = await ask(`Patient?_has:Provenance:target:agent-role=x`);
    assert.match(undecided.text, /Provenance of writes is found by target/);
    const chained = provenances(await ask(`Provenance?target:Observation.subject=Patient/${ann}`));
    assert.deepEqual(
      chained.map(({ target }) => target[0]!.reference),
      [`Observation/${value}/_history/1`],
    );
    const amended = { method: 'PUT', body: { ...glucose(ann, 8), id: value } };
    assert.equal((await ask(`Observation/${value}`, amended)).status, 200);
    const revisions = provenances(await ask(`Observation?_id=${value}&_revinclude=Provenance:entity`));
    assert.deepEqual(
      revisions.map(({ target }) => target[0]!.reference),
      [`Observation/${value}/_history/2`],
    );
    const ofPatient = provenances(await ask(`Patient?_id=${ann}&_revinclude=Provenance:patient`));
    assert.deepEqual(
      ofPatient.map(({ target }) => target[0]!.reference),
      [`Patient/${ann}/_history/1`],
    );
    const back = await ask(`Provenance?target=Observation/${value}&_include=Provenance:entity`);
    assert.deepEqual(idsOf(back, 'Observation'), [value]);
  });

  /** Ids of the Provenance in an export, and its targets. */
  async function exported(path: string, user = 'dr-adams', level = ''): Promise<Map<string, string>> {
    const kicked = await ask(`${level}$export?${path}`, { headers: { prefer: 'respond-async' } }, user);
    assert.equal(kicked.status, 202, kicked.text);
    const at = (url: string): string => url.slice(network.fhir('stmary').length + 1);
    let manifest: Answer | undefined;
    await eventually(async () => {
      manifest = await ask(at(kicked.headers.get('content-location') ?? ''), {}, user);
      assert.equal(manifest.status, 200);
    });
    const { output } = manifest!.body as unknown as { output: { type: string; url: string }[] };
    const found = new Map<string, string>();
    for (const { url } of output.filter(({ type }) => type === 'Provenance')) {
      const { text } = await ask(at(url), {}, user);
      for (const line of text.split('\n').filter((each) => each !== '')) {
        const { id: known, target } = JSON.parse(line) as Provenance;
        found.set(known, target[0]!.reference);
      }
    }
    return found;
  }

  it('is exported of every version, with what is deleted, to whom it is shown and as it was when asked for', async () => {
    const all = [...(await exported('_type=Provenance')).values()];
    for (const version of [1, 2, 3])
      assert.ok(all.includes(`Observation/${observation}/_history/${version}`), `${version}`);
    const closed = String((await ask('Patient', { body: { ...patient, name: [{ family: 'Shut' }] } })).body.id);
    const shut = await ask('Consent', { body: closedTo(closed, 'stmary/dr-cook') });
    assert.equal(shut.status, 201, shut.text);
    const of = async (user: string, level = ''): Promise<string[]> =>
      [...(await exported('_type=Provenance', user, level)).values()].filter((each) => each.includes(closed));
    assert.deepEqual(await of('dr-cook'), []);
    assert.deepEqual(await of('dr-adams', 'Patient/'), [`Patient/${closed}/_history/1`]);
    const filter = encodeURIComponent(`Provenance?target=Observation/${observation}`);
    const only = [...(await exported(`_type=Provenance&_typeFilter=${filter}`)).values()];
    assert.deepEqual(
      only.sort(),
      [1, 2, 3].map((version) => `Observation/${observation}/_history/${version}`),
    );
    const later = encodeURIComponent(new Date(Date.now() + 60_000).toISOString());
    assert.equal((await exported(`_type=Provenance&_since=${later}`)).size, 0);
  });

  it('is made of each version of a consent, by who said it, and hidden with it', async () => {
    const ann = String((await ask('Patient', { body: { ...patient, name: [{ family: 'Says' }] } })).body.id);
    const own = await network.token({ member: 'stmary', user: 'pat-says', role: 'patient', patient: ann });
    const said = await network.ask('stmary', 'Consent', { token: own, body: closedTo(ann, 'stmary/dr-cook') });
    assert.equal(said.status, 201, said.text);
    const consent = String(said.body.id);
    const ended = { method: 'PUT', body: { ...said.body, status: 'inactive' }, headers: { 'if-match': 'W/"1"' } };
    const [first, ...none] = await about(`Consent/${consent}`);
    assert.deepEqual(none, []);
    assert.equal(first!.id, `consent-v1-${consent}`);
    assert.equal(first!.agent[0]!.who.reference, `Patient/${ann}`);
    assert.equal(first!.agent[0]!.role![0]!.coding[0]!.code, 'patient');
    assert.equal(first!.extension[0]!.valueString, said.headers.get('x-tx-id'));
    assert.deepEqual((await ask(`Provenance/${first!.id}`)).body, first);
    assert.equal((await ask(`Provenance/${first!.id}`, {}, 'dr-cook')).status, 404);
    assert.equal((await network.ask('stmary', `Provenance/${first!.id}`, { token: own })).status, 200);
    assert.equal((await ask(`Provenance/consent-v2-${consent}`)).status, 404);
    const taken = { method: 'PUT', body: { ...first!, id: `consent-v2-${consent}` } };
    assert.match((await ask(`Provenance/consent-v2-${consent}`, taken)).text, /id-taken/);
    const put = await network.ask('stmary', `Consent/${consent}`, { token: own, ...ended });
    assert.equal(put.status, 200, put.text);
    const both = await about(`Consent/${consent}`);
    assert.deepEqual(
      both.map(({ activity, entity }) => [activity.coding[0]!.code, entity?.[0]?.what.reference]),
      [
        ['CREATE', undefined],
        ['UPDATE', `Consent/${consent}/_history/1`],
      ],
    );
    const revincluded = await ask(`Consent?patient=${ann}&_revinclude=Provenance:target`);
    assert.equal(provenances(revincluded).length, 2, revincluded.text);
    const history = await ask(`Consent/${consent}/_history`);
    assert.ok(history.text.includes(`/Provenance/consent-v2-${consent}`), history.text);
    const lines = await exported('_type=Provenance');
    assert.equal(lines.get(`consent-v2-${consent}`), `Consent/${consent}/_history/2`);
  });
});
