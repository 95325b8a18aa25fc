import { strict as assert } from 'node:assert';

import { type Answer, type TestNetwork, startNetwork } from '../support/network.js';
import { condition, patient } from '../story/people.js';

describe('breaking the glass while the ledger stands still', () => {
  let network: TestNetwork;
  let requester: string;
  let patientId: string;

  before(async () => {
    network = await startNetwork();
    const physician = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    requester = await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' });
    const created = await network.ask('stmary', 'Patient', { token: physician, body: patient });
    patientId = String(created.body.id);
    const more = await network.ask('stmary', 'Condition', { token: physician, body: condition(patientId) });
    assert.equal(more.status, 201, more.text);
  });

  after(async () => {
    network.standStill(false);
    await network.stop();
  });

  const broken = (): Promise<Answer> =>
    network.ask('northside', `Patient/${patientId}/$break-glass`, {
      method: 'POST',
      token: requester,
      headers: { 'x-purpose-of-use': 'BTG' },
      body: {
        resourceType: 'Parameters',
        parameter: [
          { name: 'reason', valueCode: 'unconscious' },
          { name: 'text', valueString: 'found unconscious' },
        ],
      },
    });

  it('opens nothing and says why, for an access that leaves no trace is no access', async () => {
    network.standStill(true);
    const refused = await broken();
    assert.equal(refused.status, 503, refused.text);
    assert.doesNotMatch(refused.text, /CANARY/);
    assert.match(refused.text, /OperationOutcome/);
  }).timeout(180_000);

  it('opens the emergency summary as soon as the ledger goes on, with the act on the patient’s list', async () => {
    network.standStill(false);
    let opened = await broken();
    for (let tries = 0; opened.status === 503 && tries < 30; tries += 1) opened = await broken();
    assert.equal(opened.status, 200, opened.text);
    assert.match(opened.text, /CANARY/);
    const own = await network.token({ member: 'stmary', user: 'pat', role: 'patient', patient: patientId });
    const list = await network.ask('stmary', `AuditEvent?patient=${patientId}`, { token: own });
    assert.match(list.text, /break-glass: unconscious/);
  }).timeout(180_000);
});
