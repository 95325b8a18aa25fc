import assert from 'node:assert/strict';

import { patient, treatmentByNorthside } from '../story/people.js';
import { type FhirBody, networkOfSuite } from '../support/network.js';
import { GTIN, pack, tell, TradeSystem } from './packs.js';

const LOT = 'FACE-1';

describe('the supply chain in FHIR', function () {
  this.timeout(120_000);
  const network = networkOfSuite();
  const serials = [4101, 4102, 4103];
  const [one = '', two = ''] = serials.map(pack);
  let patientId = '';

  const asking = async (member: string, role: string, path: string, body?: unknown) => {
    const token = await network.token({ member, role });
    return await network.ask(member, path, { token, ...(body === undefined ? {} : { body }) });
  };
  const created = async (member: string, role: string, resource: object): Promise<string> => {
    const { resourceType } = resource as { resourceType: string };
    const { status, text, body } = await asking(member, role, resourceType, resource);
    assert.equal(status, 201, text);
    return String(body.id);
  };
  const order = () => ({
    resourceType: 'MedicationRequest',
    status: 'active',
    intent: 'order',
    medicationCodeableConcept: { coding: [{ system: 'https://www.gs1.org/gtin', code: GTIN }] },
    subject: { reference: `Patient/${patientId}` },
  });
  const signed = async (): Promise<string> => {
    const id = await created('stmary', 'physician', order());
    const { status, text } = await asking('stmary', 'physician', `MedicationRequest/${id}/$sign`, {
      resourceType: 'Parameters',
    });
    assert.equal(status, 200, text);
    return id;
  };
  const dispensed = (member: string, id: string, epc: string, more: readonly object[] = []) =>
    asking(member, 'pharmacist', `MedicationRequest/${id}/$dispense`, {
      resourceType: 'Parameters',
      parameter: [{ name: 'pack', valueString: epc }, ...more],
    });
  const consentToMedication = (): object =>
    treatmentByNorthside(patientId, {
      class: [{ system: 'http://hl7.org/fhir/resource-types', code: 'MedicationRequest' }],
    });

  before(async () => {
    patientId = await created('stmary', 'physician', patient);
    const acme = new TradeSystem(network, 'acme');
    const made = await acme.capture(
      'supply-operator',
      tell.commissioned(serials, LOT),
      tell.shipped([one], 'stmary'),
      tell.shipped([two], 'northside'),
    );
    assert.ok(
      made.every(({ state }) => state === 'done'),
      JSON.stringify(made),
    );
    await new TradeSystem(network, 'stmary').capture('supply-operator', tell.received([one]));
    await new TradeSystem(network, 'northside').capture('supply-operator', tell.received([two]));
  });

  it('shows each product of a shipment as SupplyDelivery, at both sides and nowhere else', async () => {
    const of = async (member: string, role = 'supply-operator') =>
      await asking(member, role, 'SupplyDelivery/$shipments');
    const { body, text } = await of('stmary');
    const [delivery] = (body.entry ?? []).map(({ resource }) => resource);
    assert.equal(body.entry?.length, 1, text);
    const [medication] = delivery?.['contained'] as readonly { batch: object; code: { coding: object[] } }[];
    assert.deepEqual(medication?.batch, { lotNumber: LOT, expirationDate: '2099-12-31' });
    assert.deepEqual((delivery?.['suppliedItem'] as { quantity: object }).quantity, { value: 1, unit: 'packs' });
    assert.equal((await of('acme')).body.entry?.length, 2);
    assert.deepEqual((await of('meridian')).body.entry, []);
    assert.equal((await of('stmary', 'nurse')).status, 403);
  });

  it('finds who else was dispensed the lot that an adverse event suspects, by lot or by pack, where they were given it', async () => {
    const given = await dispensed('stmary', await signed(), one);
    assert.equal(given.status, 201, given.text);
    const suspected = (medication: object) => ({
      resourceType: 'AdverseEvent',
      actuality: 'actual',
      subject: { reference: `Patient/${patientId}` },
      contained: [{ resourceType: 'Medication', id: 'suspect', ...medication }],
      suspectEntity: [{ instance: { reference: '#suspect' } }],
    });
    const code = { coding: [{ system: 'https://www.gs1.org/gtin', code: GTIN }] };
    const exposedBy = async (medication: object) => {
      const id = await created('stmary', 'physician', suspected(medication));
      return await asking('stmary', 'pharmacist', `AdverseEvent/${id}/$exposed`);
    };
    const byPack = { identifier: [{ system: 'https://id.gs1.org', value: one }] };
    for (const medication of [{ code, batch: { lotNumber: LOT } }, byPack]) {
      const { status, body, text } = await exposedBy(medication);
      assert.equal(status, 200, text);
      const found = (body.entry ?? []).map(({ resource }) => resource as FhirBody);
      const subjects = found
        .filter((each) => each.resourceType === 'MedicationDispense')
        .map((each) => each['subject']);
      assert.deepEqual(subjects, [{ reference: `Patient/${patientId}` }], text);
    }
    const other = await exposedBy({ code, batch: { lotNumber: 'OTHER' } });
    assert.doesNotMatch(other.text, /"MedicationDispense"/);
    assert.equal((await exposedBy({ code })).status, 422);
    assert.equal((await asking('stmary', 'pharmacist', 'AdverseEvent/nowhere/$exposed')).status, 404);
  });

  it('dispenses on a prescription kept at another hospital, where the patient allows it', async () => {
    const id = await signed();
    const here = await created('northside', 'physician', patient);
    const to = [
      { name: 'patient', valueString: here },
      { name: 'prescribedFor', valueString: patientId },
    ];
    assert.equal((await dispensed('northside', id, two, to)).status, 404);
    await created('stmary', 'physician', consentToMedication());
    const given = await dispensed('northside', id, two, to);
    assert.equal(given.status, 201, given.text);
    assert.deepEqual(given.body['subject'], { reference: `Patient/${here}` });
    assert.equal((await new TradeSystem(network, 'northside').verify('4102', LOT)).body['where'], 'dispensed');
    const again = await dispensed('northside', id, two, to);
    assert.equal(again.status, 409, again.text);
  });

  it('says its operations in the CapabilityStatement', async () => {
    const { text } = await network.ask('stmary', 'metadata');
    for (const operation of ['"shipments"', '"exposed"', '"undo"']) assert.ok(text.includes(operation), operation);
  });
});
