/** What the custodian's door and own staff see of a record from the moment that a denial is heard, before any block has it. */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';

import { signingKey } from '@salus/gateway/identity/keys';
import { signStatement } from '@salus/gateway/identity/statements';

import { HostileGateway } from '../glass/hostile-gateway.js';
import { closedTo, glucose, optOut, patient, treatmentByNorthside } from '../story/people.js';
import { eventually } from '../support/eventually.js';
import { type Answer, networkOfSuite } from '../support/network.js';
import { newJwk } from '../support/sharing-world.js';

/** Without what is for people's eyes: what is signed. */
const careForm = (consent: object): Record<string, unknown> =>
  JSON.parse(JSON.stringify(consent, (name, value: unknown) => (name === 'display' ? undefined : value))) as never;

describe('a denial that is heard of before the ledger has it', function () {
  this.timeout(240_000);
  const network = networkOfSuite();
  let adams: string;
  let northside: HostileGateway;
  /** Ann and Cora, who say no, and Ben, who does not. */
  const ids: Record<'ann' | 'ben' | 'cora', string> = { ann: '', ben: '', cora: '' };
  const results: Record<string, string> = {};

  const sent = async (member: string, path: string, token: string, body: object): Promise<Answer> => {
    const answer = await network.ask(member, path, { token, body });
    assert.ok(answer.status < 300, answer.text);
    return answer;
  };
  const own = (name: keyof typeof ids): Promise<string> =>
    network.token({ member: 'stmary', user: name, role: 'patient', patient: ids[name] });
  /** Whether stmary's door shows something of the record under the access that northside has. */
  const isShown = async (name: keyof typeof ids): Promise<boolean> => {
    const actor = { user: 'dr-baker', role: 'physician' };
    const aid = northside.accessTo(ids[name]);
    const { status, text } = await northside.read({ aid, actor }, `Observation?patient=${ids[name]}`);
    return status === 200 && text.includes('"mg/dL"');
  };
  const isSeenBy = async (name: string, token: string): Promise<boolean> => {
    const read = await network.ask('stmary', `Observation/${results[name] ?? ''}`, { token });
    const found = await network.ask('stmary', `Observation?patient=${ids[name as 'ann']}`, { token });
    assert.equal(found.text.includes('"mg/dL"'), read.status === 200);
    return read.status === 200;
  };
  const saidOf = (name: keyof typeof ids): object => ({
    ...{ pid: northside.pidOf(ids[name]), consentId: randomUUID(), version: 1, salt: randomBytes(32).toString('hex') },
    consent: careForm(optOut(ids[name], { type: 'deny' })),
  });

  before(async () => {
    adams = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    northside = HostileGateway.of(network.stateDir, 'northside');
    const baker = await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' });
    for (const name of Object.keys(ids) as (keyof typeof ids)[]) {
      ids[name] = String((await sent('stmary', 'Patient', adams, patient)).body.id);
      results[name] = String((await sent('stmary', 'Observation', adams, glucose(ids[name], 88))).body.id);
      await sent('stmary', 'Consent', await own(name), treatmentByNorthside(ids[name], {}));
      const read = await network.ask('northside', `Observation?patient=${ids[name]}`, { token: baker });
      assert.match(read.text, /mg\/dL/);
      assert.equal(await isShown(name), true);
    }
  });
  after(() => northside.close());

  it('changes nothing where a member makes it up', async () => {
    const unsigned = saidOf('ben') as { consentId: string; consent: object };
    const subject = { channel: 'health', consent: unsigned.consentId, version: 1, replaces: null };
    const statement = await signStatement(unsigned.consent, subject, northside.key);
    const strangers = await signStatement(unsigned.consent, subject, signingKey(newJwk().private));
    for (const said of [unsigned, { ...unsigned, statement }, { ...unsigned, statement: strangers }]) {
      assert.deepEqual(await northside.tell('$denial', JSON.stringify(said)), { status: 200, text: '{}' });
    }
    assert.equal((await northside.tell('$denial', JSON.stringify({ ...unsigned, pid: 'ben' }))).status, 404);
    assert.equal((await northside.tell('$denial', '{')).status, 404);
    assert.deepEqual([await isShown('ben'), await isSeenBy('ben', adams)], [true, true]);
  });

  it('is obeyed by the door and by the own staff, and of the record alone that it is about', async () => {
    const token = await own('ann');
    const denials = [closedTo(ids.ann, 'dr-adams'), closedTo(ids.ann, 'dr-baker')];
    // A door stays open for a minute after a tick, and a gateway waits half of that for a peer that hangs.
    await eventually(() => {
      assert.ok(northside.sinceTick() < 10_000);
      return Promise.resolve();
    });
    network.standStill(true);
    let answers: Promise<Answer[]>;
    try {
      answers = Promise.all(denials.map((body) => network.ask('stmary', 'Consent', { token, body })));
      await eventually(async () => {
        assert.equal(await isShown('ann'), false);
      });
      assert.equal(await isShown('ben'), true, 'the door is open as before');
      await eventually(async () => {
        assert.equal(await isSeenBy('ann', adams), false);
      });
      assert.equal(await isSeenBy('ben', adams), true);
    } finally {
      network.standStill(false);
    }
    for (const { status, text } of await answers) assert.ok([201, 202].includes(status), text);
    await eventually(async () => {
      const { body } = await network.ask('stmary', `Consent?patient=${ids.ann}`, { token });
      assert.equal(body.total, 3);
    });
    assert.deepEqual([await isShown('ann'), await isSeenBy('ann', adams)], [false, false]);
  });

  it('is believed of another member where a key signed it that the custodian registered', async () => {
    const phone = newJwk('phone');
    const parameter = [{ name: 'jwk', valueString: JSON.stringify(phone.public) }];
    await sent('stmary', `Patient/${ids.cora}/$patient-key`, adams, { resourceType: 'Parameters', parameter });
    const said = saidOf('cora') as { consentId: string; consent: object };
    const subject = { channel: 'health', consent: said.consentId, version: 1, replaces: null };
    const statement = await signStatement(said.consent, subject, signingKey(phone.private));
    // Said of another version than it was signed of, it is nothing.
    await northside.tell('$denial', JSON.stringify({ ...said, statement, version: 2, replaces: 1 }));
    assert.equal(await isShown('cora'), true);
    await northside.tell('$denial', JSON.stringify({ ...said, statement }));
    assert.deepEqual([await isShown('cora'), await isShown('ben')], [false, true]);
  });
});
