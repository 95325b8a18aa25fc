import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { FILL_SYSTEM, MAX_FILLS } from '@salus/gateway/supply/dispense/prescriptions';

import { patient } from '../story/people.js';
import { type FhirBody, networkOfSuite } from '../support/network.js';
import { GTIN, pack, PREFIX, tell, TradeSystem } from './packs.js';

const PLACE = `urn:epc:id:sgln:${PREFIX}.00001.0`;

describe('a prescription and the packs dispensed on it', function () {
  this.timeout(90_000);
  const network = networkOfSuite();
  const serials = [5001, 5002, 5003, 5004, 5005, 5006, 5007];
  const packs = serials.map(pack);
  let acme: TradeSystem;
  let stmary: TradeSystem;
  let patientId = '';

  const asking = async (role: string, path: string, body?: unknown) =>
    await network.ask('stmary', path, {
      token: await network.token({ member: 'stmary', role }),
      ...(body === undefined ? {} : { body }),
    });
  const prescribed = async (more: object = {}): Promise<string> => {
    const order = {
      resourceType: 'MedicationRequest',
      status: 'active',
      intent: 'order',
      medicationCodeableConcept: { coding: [{ system: 'https://www.gs1.org/gtin', code: GTIN }] },
      subject: { reference: `Patient/${patientId}` },
      dispenseRequest: { numberOfRepeatsAllowed: 1 },
      ...more,
    };
    const { status, body, text } = await asking('physician', 'MedicationRequest', order);
    assert.equal(status, 201, text);
    return String(body.id);
  };
  const sign = (order: string, role = 'physician') =>
    asking(role, `MedicationRequest/${order}/$sign`, { resourceType: 'Parameters' });
  const dispense = (order: string, epc = '', role = 'pharmacist') =>
    asking(role, `MedicationRequest/${order}/$dispense`, {
      resourceType: 'Parameters',
      parameter: [{ name: 'pack', valueString: epc }],
    });
  const codeOf = ({ body }: { readonly body: FhirBody }): string =>
    (body['issue'] as { details?: { coding?: { code: string }[] } }[])[0]?.details?.coding?.[0]?.code ?? '';
  const fillsIn = (body: FhirBody) =>
    ((body['identifier'] ?? []) as { system: string; value: string }[]).filter(({ system }) => system === FILL_SYSTEM);

  before(async () => {
    [acme, stmary] = [new TradeSystem(network, 'acme'), new TradeSystem(network, 'stmary')];
    patientId = String((await asking('physician', 'Patient', patient)).body.id);
    await acme.capture('supply-operator', tell.commissioned(serials), tell.shipped(packs, 'stmary'));
    const received = await stmary.capture('supply-operator', tell.received(packs));
    assert.ok(
      received.every(({ state }) => state === 'done'),
      JSON.stringify(received),
    );
  });

  it('allows as many fills as it says, each a random name in its content alone, once it is signed', async () => {
    const order = await prescribed();
    assert.equal(codeOf(await dispense(order, packs[0])), 'no-fill');
    assert.equal((await sign(order, 'nurse')).status, 403);
    const signed = await sign(order);
    assert.equal(signed.status, 200, signed.text);
    const fills = fillsIn(signed.body);
    assert.equal(new Set(fills.map(({ value }) => value)).size, 2);
    // Signed again it is the same prescription.
    assert.deepEqual(fillsIn((await sign(order)).body), fills);
    const many = await prescribed({ dispenseRequest: { numberOfRepeatsAllowed: MAX_FILLS } });
    assert.equal((await sign(many)).status, 422);
  });

  it('is dispensed one pack a fill, in one transaction with the pack, and the record says which lot', async () => {
    const order = await prescribed();
    await sign(order);
    assert.equal((await dispense(order, packs[0], 'physician')).status, 403);
    assert.equal((await dispense(order, `urn:epc:id:sgtin:${PREFIX}.000002.1`)).status, 422);
    const first = await dispense(order, packs[0]);
    assert.equal(first.status, 201, first.text);
    assert.equal(first.body['status'], 'completed');
    assert.deepEqual(first.body['authorizingPrescription'], [{ reference: `MedicationRequest/${order}` }]);
    const [{ batch } = { batch: undefined }] = first.body['contained'] as { batch?: object }[];
    assert.deepEqual(batch, { lotNumber: 'L-0815', expirationDate: '2099-12-31' });
    assert.equal((await stmary.verify('5001')).body['where'], 'dispensed');
    const code = encodeURIComponent(`01${GTIN}215001\u001d10L-0815`);
    const token = await network.token({ member: 'stmary', role: 'pharmacist' });
    assert.equal((await network.ask('stmary', `/verify/scan?code=${code}`, { token })).body['where'], 'dispensed');
    // A pack that went out already spends no fill.
    assert.equal(codeOf(await dispense(order, packs[0])), 'already-dispensed');
    const second = await dispense(order, `]d201${GTIN}17991231215002\u001d10L-0815`);
    assert.equal(second.status, 201, second.text);
    assert.equal(codeOf(await dispense(order, packs[2])), 'no-fill');
  });

  const undo = (id: string, role = 'pharmacist', place = '') =>
    asking(role, `MedicationDispense/${id}/$undo`, {
      resourceType: 'Parameters',
      ...(place === '' ? {} : { parameter: [{ name: 'place', valueString: place }] }),
    });

  it('is undone where it was dispensed: the pack is in stock, the fill is given back, and the record is in error', async () => {
    const [other = '', another = ''] = [packs[4], packs[5]];
    const order = await prescribed({ dispenseRequest: { numberOfRepeatsAllowed: 0 } });
    await sign(order);
    const first = await dispense(order, other);
    assert.equal(first.status, 201, first.text);
    assert.equal((await undo(String(first.body.id), 'physician')).status, 403);
    assert.equal(codeOf(await undo(String(first.body.id), 'pharmacist', PLACE)), 'undo-elsewhere');
    assert.equal(codeOf(await dispense(order, another)), 'no-fill');
    const undone = await undo(String(first.body.id));
    assert.deepEqual([undone.status, undone.body['status']], [200, 'entered-in-error'], undone.text);
    assert.equal((await stmary.verify('5005')).body['where'], 'in stock');
    assert.equal(codeOf(await undo(String(first.body.id))), 'not-undoable');
    const second = await dispense(order, another);
    assert.equal(second.status, 201, second.text);
    assert.equal(codeOf(await dispense(order, other)), 'no-fill');
    // At the counter's own interface, too.
    const byHand = { act: 'undo', epcs: [another], place: '', supplied: 'no' };
    assert.deepEqual(await stmary.does('pharmacist', 'acts', byHand), ['done']);
    const record = await asking('pharmacist', `MedicationDispense/${String(second.body.id)}`);
    assert.equal(record.body['status'], 'entered-in-error');
  });

  it('is gone on with after a kill, on its last fill too, and on no other prescription than it was dispensed on', async () => {
    const [order, elsewhere] = [await prescribed({ dispenseRequest: undefined }), await prescribed()];
    for (const each of [order, elsewhere]) await sign(each);
    const done = await dispense(order, packs[6]);
    assert.equal(done.status, 201, done.text);
    // As a gateway leaves them that was killed behind the ledger's answer, and before it.
    const left = { ...done.body, id: undefined, meta: undefined, whenHandedOver: undefined, status: 'in-progress' };
    const authorizingPrescription = [{ reference: `MedicationRequest/${elsewhere}` }];
    const before = await asking('pharmacist', 'MedicationDispense', { ...left, authorizingPrescription });
    assert.equal(codeOf(await dispense(elsewhere, packs[6])), 'already-dispensed');
    assert.equal((await asking('pharmacist', `MedicationDispense/${before.body.id}`)).body['status'], 'cancelled');
    const behind = await asking('pharmacist', 'MedicationDispense', left);
    const again = await dispense(order, packs[6]);
    assert.deepEqual(
      [again.status, again.body.id, again.body['status']],
      [201, behind.body.id, 'completed'],
      again.text,
    );
    assert.equal((await undo(String(again.body.id))).status, 200);
  });

  it('is for one patient, and of the product that it names, in a contained Medication too', async () => {
    const other = String((await asking('physician', 'Patient', patient)).body.id);
    const [coding] = [{ system: 'https://www.gs1.org/gtin', code: '09521003000022' }];
    const foreign = await prescribed({
      medicationCodeableConcept: undefined,
      contained: [{ resourceType: 'Medication', id: 'm', code: { coding: [coding] } }],
      medicationReference: { reference: '#m' },
    });
    await sign(foreign);
    assert.equal((await dispense(foreign, packs[2])).status, 422);
    const order = await prescribed();
    await sign(order);
    const parameter = [
      { name: 'pack', valueString: packs[2] },
      { name: 'patient', valueString: other },
    ];
    const wrong = await asking('pharmacist', `MedicationRequest/${order}/$dispense`, {
      resourceType: 'Parameters',
      parameter,
    });
    assert.equal(wrong.status, 422, wrong.text);
    // What was begun on another prescription is not gone on with.
    const begun = await asking('pharmacist', 'MedicationDispense', {
      resourceType: 'MedicationDispense',
      identifier: [{ system: 'https://id.gs1.org', value: `https://id.gs1.org/01/${GTIN}/21/5003` }],
      status: 'in-progress',
      medicationCodeableConcept: { text: 'a pack' },
      subject: { reference: `Patient/${patientId}` },
      authorizingPrescription: [{ reference: `MedicationRequest/${foreign}` }],
    });
    assert.equal(begun.status, 201, begun.text);
    const given = await dispense(order, packs[2]);
    assert.equal(given.status, 201, given.text);
    assert.notEqual(given.body.id, begun.body.id);
    assert.deepEqual(given.body['authorizingPrescription'], [{ reference: `MedicationRequest/${order}` }]);
  });

  it('leaves no name on the ledger by which one person’s dispenses could be counted', () => {
    const names = new Set<string>();
    for (const file of readdirSync(network.stateDir, { recursive: true, encoding: 'utf8' })) {
      const path = join(network.stateDir, file);
      if (!statSync(path).isFile()) continue;
      const text = readFileSync(path).toString('latin1');
      for (const [, name = ''] of text.matchAll(/"premises":"([0-9a-f]{64})"/g)) names.add(name);
    }
    assert.equal(names.size, 6);
  });

  it('is found again when the lot is recalled: holders by yes or no, patients by the pharmacy alone', async () => {
    const [recalled] = await acme.capture('quality-officer', tell.recalled());
    assert.equal(recalled?.state, 'done');
    const recallsAt = async (system: TradeSystem, role: string) =>
      (await system.ask(role, 'recalls')).body['recalls'] as { lotId: string; holdsHere: boolean; dispensed: string }[];
    const [here] = await recallsAt(stmary, 'pharmacist');
    assert.equal(here?.holdsHere, true);
    const { body } = await asking('pharmacist', here.dispensed);
    const given = (body.entry ?? []).map(({ resource }) => resource);
    const subjects = given.filter((each) => each?.['status'] === 'completed').map((each) => each?.['subject']);
    assert.deepEqual(subjects, Array(3).fill({ reference: `Patient/${patientId}` }));
    const holders = await acme.ask('quality-officer', `recalls/${here.lotId}/holders`);
    const said = (holders.body['holders'] as { member: string; holds: string }[]).map((each) => Object.values(each));
    assert.deepEqual(new Map(said as [string, string][]).get('stmary'), 'yes');
    assert.deepEqual(
      said.filter(([, holds]) => holds !== 'no').map(([member]) => member),
      ['stmary'],
    );
    // Neither issuer nor regulator, and told nothing.
    const meridian = new TradeSystem(network, 'meridian');
    const asked = await meridian.ask('quality-officer', `recalls/${here.lotId}/holders`);
    assert.deepEqual(
      (asked.body['holders'] as { member: string; holds: string }[]).filter(({ holds }) => holds === 'yes'),
      [],
    );
  });
});
