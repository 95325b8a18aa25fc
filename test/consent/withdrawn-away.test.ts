/** What the custodian's own staff see of a consent whose end is heard while the ledger is away. */
import assert from 'node:assert/strict';

import { eventually } from '../support/eventually.js';
import { networkOfSuite } from '../support/network.js';
import { glucose, optOut, patient } from '../story/people.js';

const RESEARCH = { 'x-purpose-of-use': 'HRESCH' };

describe('a permit that is withdrawn while the ledger is away', () => {
  const network = networkOfSuite();

  it('is obeyed by the own hospital from the answer on, and stays withdrawn', async () => {
    const physician = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    const researcher = await network.token({ member: 'stmary', user: 'r-1', role: 'researcher' });
    const made = async (type: string, body: object, token: string): Promise<string> => {
      const { status, text, body: answer } = await network.ask('stmary', type, { token, body });
      assert.equal(status, 201, text);
      return String(answer.id);
    };
    const id = await made('Patient', patient, physician);
    const result = await made('Observation', glucose(id, 88), physician);
    const own = await network.token({ member: 'stmary', user: 'ann', role: 'patient', patient: id });
    const research = optOut(id, {
      type: 'permit',
      actor: [
        {
          role: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'IRCP' }] },
          reference: { identifier: { system: 'urn:salus:member', value: 'stmary' } },
        },
      ],
      purpose: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'HRESCH' }],
    });
    const consent = await made('Consent', research, own);
    const seen = async (): Promise<number> =>
      (await network.ask('stmary', `Observation/${result}`, { token: researcher, headers: RESEARCH })).status;
    assert.equal(await seen(), 200);
    network.standStill(true);
    try {
      const body = { ...research, id: consent, status: 'inactive' };
      const ended = await network.ask('stmary', `Consent/${consent}`, { token: own, method: 'PUT', body });
      assert.equal(ended.status, 202, ended.text);
      assert.equal(await seen(), 404);
    } finally {
      network.standStill(false);
    }
    await eventually(async () => {
      const { body } = await network.ask('stmary', `Consent/${consent}`, { token: own });
      assert.equal(body['status'], 'inactive');
    });
    assert.equal(await seen(), 404);
  }).timeout(180_000);
});
