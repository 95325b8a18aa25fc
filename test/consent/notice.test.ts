import { strict as assert } from 'node:assert';

import { type FhirBody, type TestNetwork, startNetwork } from '../support/network.js';
import { glucose, laboratoryForNorthside, patient, resourcesOf } from '../story/people.js';

interface Meta {
  readonly security?: readonly { readonly code: string }[];
  readonly tag?: readonly { readonly system: string; readonly code: string; readonly display: string }[];
}

describe('what 42 CFR part 2 protects, read at another hospital', () => {
  let network: TestNetwork;
  let requester: string;
  let physician: string;
  let patientId: string;
  let dependence: string;

  const created = async (resource: object, token: string): Promise<string> => {
    const { resourceType } = resource as { resourceType: string };
    const answer = await network.ask('stmary', resourceType, { token, body: resource });
    assert.equal(answer.status, 201, answer.text);
    return String(answer.body.id);
  };
  const labelsOf = (resource: FhirBody): string[] =>
    ((resource['meta'] as Meta).security ?? []).map(({ code }) => code);
  const noticesOf = (resource: FhirBody): string[] =>
    ((resource['meta'] as Meta).tag ?? []).flatMap(({ system, display }) =>
      system === 'urn:salus:notice' ? [display] : [],
    );

  before(async () => {
    network = await startNetwork();
    physician = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    requester = await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' });
    patientId = await created(patient, physician);
    const own = await network.token({ member: 'stmary', user: 'pat', role: 'patient', patient: patientId });
    await created(glucose(patientId, 95.1), physician);
    dependence = await created(
      {
        resourceType: 'Condition',
        code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'F10.20' }] },
        subject: { reference: `Patient/${patientId}` },
      },
      physician,
    );
    const { provision, ...rest } = laboratoryForNorthside(patientId) as { provision: { provision: object[] } };
    const [actor] = provision.provision.map((each) => (each as { actor: object }).actor);
    const purpose = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'TREAT' }];
    await created({ ...rest, provision: { type: 'deny', provision: [{ type: 'permit', actor, purpose }] } }, own);
  });

  after(async () => {
    await network.stop();
  });

  it('comes with the label and the notice by every way there is, and nothing else does', async () => {
    for (const path of [`Condition?patient=${patientId}`, `Patient/${patientId}/$everything`]) {
      const answer = await network.ask('northside', path, { token: requester });
      const found = resourcesOf(answer.body);
      const protectedOne = found.find(({ id }) => id === dependence);
      assert.ok(protectedOne, `${path}: ${answer.text}`);
      assert.ok(labelsOf(protectedOne).includes('NORDSCLCD'), path);
      const [notice] = noticesOf(protectedOne);
      assert.equal(notice, '42 CFR part 2 prohibits unauthorized use or disclosure of these records.', path);
      for (const other of found.filter(({ id }) => id !== dependence)) {
        assert.deepEqual([labelsOf(other).includes('NORDSCLCD'), noticesOf(other)], [false, []], path);
      }
    }
    const everything = await network.ask('northside', `Patient/${patientId}/$everything`, { token: requester });
    assert.ok(resourcesOf(everything.body).length >= 3);
  });

  it('is labelled and without the notice at the custodian, which discloses nothing to its own staff', async () => {
    const answer = await network.ask('stmary', `Condition/${dependence}`, { token: physician });
    assert.ok(labelsOf(answer.body).includes('ETHUD'), answer.text);
    assert.deepEqual(noticesOf(answer.body), []);
  });

  const words = { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'F10.20' }] };
  const places: readonly (readonly [string, (subject: object) => Promise<object>])[] = [
    [
      'as an Encounter’s reason',
      (subject) =>
        Promise.resolve({
          resourceType: 'Encounter',
          status: 'finished',
          class: { code: 'AMB' },
          subject,
          reasonCode: [words],
        }),
    ],
    [
      'as what an Observation found',
      (subject) =>
        Promise.resolve({
          ...{ resourceType: 'Observation', status: 'final', code: { text: 'asked' }, subject },
          component: [{ code: { text: 'use' }, valueCodeableConcept: words }],
        }),
    ],
    [
      'as the Medication that is prescribed',
      async (subject) => {
        const code = { coding: [{ system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code: '6813' }] };
        const medication = await created({ resourceType: 'Medication', code }, physician);
        return {
          ...{ resourceType: 'MedicationRequest', status: 'active', intent: 'order', subject },
          medicationReference: { reference: `Medication/${medication}` },
        };
      },
    ],
  ];
  for (const [where, resource] of places) {
    it(`is recognised ${where}`, async () => {
      const id = await created(await resource({ reference: `Patient/${patientId}` }), physician);
      const { body } = await network.ask('northside', `Patient/${patientId}/$everything`, { token: requester });
      const found = resourcesOf(body).find((each) => each.id === id);
      assert.ok(found, 'the other hospital is shown it');
      assert.deepEqual(noticesOf(found), ['42 CFR part 2 prohibits unauthorized use or disclosure of these records.']);
    });
  }
});
