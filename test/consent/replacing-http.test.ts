/** Replacing a consent as its users do it, against a running network. */
import assert from 'node:assert/strict';

import { glucose, optOut, patient } from '../story/people.js';
import { type Answer, networkOfSuite } from '../support/network.js';

const identifier = [{ system: 'urn:stmary:consents', value: 'northside' }];

describe('a consent with the identifier of another one, over HTTP', () => {
  const network = networkOfSuite();

  it('stands in its place at every door, whatever becomes of it, and staff cannot so undo a denial', async () => {
    const physician = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    const baker = await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' });
    const made = async (type: string, body: object, token: string): Promise<string> => {
      const { status, text, body: answer } = await network.ask('stmary', type, { token, body });
      assert.equal(status, 201, text);
      return String(answer.id);
    };
    const id = await made('Patient', patient, physician);
    const result = await made('Observation', glucose(id, 88), physician);
    const own = await network.token({ member: 'stmary', user: 'ann', role: 'patient', patient: id });
    const role = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'IRCP' }] };
    const actor = [{ role, reference: { identifier: { system: 'urn:salus:member', value: 'northside' } } }];
    const permit = { ...optOut(id, { type: 'permit', actor }), identifier };
    const denial = { ...optOut(id, { type: 'deny', actor }), identifier };
    const seen = async (): Promise<boolean> =>
      (await network.ask('northside', `Observation?patient=${id}`, { token: baker })).text.includes(result);
    const evaluated = async (): Promise<string> => {
      const parameter = [
        { name: 'member', valueString: 'northside' },
        { name: 'role', valueCode: 'physician' },
        { name: 'purpose', valueCode: 'TREAT' },
      ];
      const body = { resourceType: 'Parameters', parameter };
      return (await network.ask('stmary', 'Consent/$evaluate', { token: own, body })).text;
    };
    const put = (consent: object, as: string): Promise<Answer> =>
      network.ask('stmary', `Consent/${(consent as { id: string }).id}`, {
        ...{ method: 'PUT', token: as },
        body: consent,
      });

    const first = await made('Consent', permit, own);
    assert.equal(await seen(), true);
    const second = await made('Consent', denial, own);
    assert.equal(await seen(), false);
    assert.match(await evaluated(), new RegExp(`Consent/${second}/_history/1`));
    const read = await network.ask('stmary', `Consent/${first}`, { token: own });
    assert.match(read.text, new RegExp(`"urn:salus:replaced-by","code":"${second}"`));

    const around = await network.ask('stmary', 'Consent', { token: physician, body: permit });
    assert.equal(around.status, 403, around.text);
    for (const undone of [{ ...denial, status: 'inactive' }, permit]) {
      const byStaff = await put({ ...undone, id: second }, physician);
      assert.equal(byStaff.status, 403, byStaff.text);
    }
    assert.equal(await seen(), false);
    const again = await put({ ...permit, id: first }, own);
    assert.equal(again.status, 409, again.text);
    const ended = await put({ ...denial, id: second, status: 'inactive' }, own);
    assert.equal(ended.status, 200, ended.text);
    assert.equal(await seen(), false);

    const extension = [{ url: 'urn:salus:replaces', valueReference: { reference: `Consent/${second}` } }];
    const late = await network.ask('stmary', 'Consent', { token: own, body: { ...permit, extension } });
    assert.equal(late.status, 409, late.text);
    const vague = [{ url: 'urn:salus:replaces', valueString: second }];
    const unclear = await network.ask('stmary', 'Consent', { token: own, body: { ...permit, extension: vague } });
    assert.equal(unclear.status, 422, unclear.text);
    const third = await made('Consent', permit, own);
    assert.equal(await seen(), true);
    const named = [{ url: 'urn:salus:replaces', valueReference: { reference: `Consent/${third}` } }];
    await made('Consent', { ...optOut(id, { type: 'deny', actor }), extension: named }, own);
    assert.equal(await seen(), false);
  }).timeout(180_000);
});
