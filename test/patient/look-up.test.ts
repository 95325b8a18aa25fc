import { strict as assert } from 'node:assert';

import { glucose, laboratoryForNorthside } from '../story/people.js';
import { eventually } from '../support/eventually.js';
import { type Answer, type FhirBody, type TestNetwork, startNetwork } from '../support/network.js';

const SYSTEM = 'http://hl7.org/fhir/sid/us-ssn';
const ann = {
  resourceType: 'Patient',
  identifier: [
    { system: SYSTEM, value: '217-45-6001' },
    { type: { coding: [{ code: 'MR' }] }, system: 'urn:oid:2.999.1', value: '4711' },
  ],
  name: [{ family: 'Carver', given: ['Ann'] }],
  gender: 'female',
  birthDate: '1971-03-14',
};

interface Entry {
  readonly resource?: FhirBody;
  readonly search?: { readonly mode: string; readonly extension?: readonly { readonly valueCode: string }[] };
}

/** What is shown: id, where it comes from, grade. */
function shown({ body }: Answer): unknown[] {
  return ((body.entry ?? []) as readonly Entry[])
    .filter(({ search }) => search?.mode === 'match')
    .map(({ resource, search }) => [
      resource?.id,
      (resource?.['meta'] as { source?: string } | undefined)?.source,
      search?.extension?.[0]?.valueCode,
    ]);
}

/** A consent as laboratoryForNorthside, for the Patient too. */
function patientForNorthside(id: string): object {
  const { provision, ...consent } = laboratoryForNorthside(id) as { provision: { provision: object[] } };
  const [permit] = provision.provision;
  const whole = Object.fromEntries(Object.entries(permit!).filter(([name]) => name !== 'class' && name !== 'code'));
  return { ...consent, provision: { ...provision, provision: [whole] } };
}

describe('looking a patient up at other hospitals', () => {
  let network: TestNetwork;
  let id: string;

  before(async () => {
    network = await startNetwork();
    id = await create('stmary', 'Patient', ann);
    await create('stmary', 'Observation', glucose(id, 81));
  });
  after(() => network.stop());

  async function ask(member: string, path: string, body?: object, wish: object = {}): Promise<Answer> {
    const token = await network.token({ member, user: `dr-${member}`, role: 'physician', ...wish });
    return await network.ask(member, path, body === undefined ? { token } : { token, body });
  }
  async function create(member: string, type: string, body: object): Promise<string> {
    const made = await ask(member, type, body);
    assert.equal(made.status, 201, made.text);
    return String(made.body.id);
  }
  async function match(resource: object, more: readonly object[] = [], wish: object = {}): Promise<Answer> {
    const parameter = [{ name: 'resource', resource: { resourceType: 'Patient', ...resource } }, ...more];
    const answer = await ask('northside', 'Patient/$match', { resourceType: 'Parameters', parameter }, wish);
    assert.equal(answer.status, 200, answer.text);
    return answer;
  }
  const bySsn = { identifier: [{ system: SYSTEM, value: '217 45 6001' }] };

  it('shows nobody whom the patient did not let the asker see, and looks as if there were nobody', async () => {
    const [there, nobody] = [
      await match(bySsn),
      await match({ identifier: [{ system: SYSTEM, value: '999-99-9999' }] }),
    ];
    assert.deepEqual(shown(there), []);
    assert.equal(there.text, nobody.text);
    assert.match(there.text, /may-be-incomplete/);
  });

  it('shows whom the patient lets the asker see, graded by all that is told of both', async () => {
    await create('stmary', 'Consent', patientForNorthside(id));
    const source = 'urn:salus:member:stmary';
    await eventually(async () => {
      assert.deepEqual(shown(await match(bySsn)), [[id, source, 'probable']]);
    });
    const { name, birthDate } = ann;
    const certain = await match({ ...bySsn, name, birthDate }, [{ name: 'onlyCertainMatches', valueBoolean: true }]);
    assert.deepEqual(shown(certain), [[id, source, 'certain']]);
    assert.deepEqual(shown(await match({ ...bySsn, name, birthDate: '1999-09-09' })), [[id, source, 'probable']]);
  });

  it('needs an identifier that is known beyond one hospital', async () => {
    const { name, birthDate } = ann;
    for (const asked of [{ name, birthDate }, { identifier: ann.identifier.slice(1) }]) {
      const answer = await match(asked);
      assert.deepEqual(shown(answer), []);
      assert.doesNotMatch(answer.text, /may-be-incomplete/);
    }
  });

  it('is not for whom the consent is not for: another role or purpose, a patient, an emergency', async () => {
    for (const wish of [
      { role: 'biller' },
      { role: 'patient', patient: 'somebody' },
      { role: 'physician', purposes: ['BTG'] },
    ]) {
      assert.deepEqual(shown(await match(bySsn, [], wish)), [], JSON.stringify(wish));
    }
  });

  it("is on the patient's list", async () => {
    const list = await ask('stmary', `AuditEvent?patient=${id}`, undefined, { role: 'patient', patient: id });
    assert.match(list.text, /dr-northside/);
  });

  it('follows the identifiers: what a patient has no more is not found any more', async () => {
    const identifier = [{ system: SYSTEM, value: '217-45-6002' }];
    const token = await network.token({ member: 'stmary', user: 'dr-stmary', role: 'physician' });
    const body = { ...ann, id, identifier };
    const changed = await network.ask('stmary', `Patient/${id}`, { method: 'PUT', token, body });
    assert.equal(changed.status, 200, changed.text);
    await eventually(async () => {
      assert.deepEqual(shown(await match({ identifier })), [[id, 'urn:salus:member:stmary', 'probable']]);
      assert.deepEqual(shown(await match(bySsn)), []);
    });
  });

  it('shows the own patients while the ledger is away, and says that nobody else could be asked', async () => {
    network.standStill(true);
    try {
      const identifier = [{ system: SYSTEM, value: '217-45-6002' }];
      const own = { resourceType: 'Patient', identifier, name: ann.name };
      const answer = await ask('stmary', 'Patient/$match', own);
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(shown(answer), [[id, undefined, 'probable']]);
      assert.match(answer.text, /other hospitals could not be asked/);
      assert.match((await match(bySsn)).text, /other hospitals could not be asked/);
    } finally {
      network.standStill(false);
    }
  }).timeout(120_000);
});
