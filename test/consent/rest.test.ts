import assert from 'node:assert/strict';

import type { JsonObject } from '@salus/gateway/fhir/json';
import type { Actor } from '@salus/gateway/ports';

import { composeConsent, sendConsent } from '../door/consents.js';
import { adams, annAt } from '../support/ann.js';
import { SharingWorld } from '../support/sharing-world.js';

const ann: Actor = {
  ...{ member: 'northside', user: 'p-ann', role: 'patient', purpose: 'PATRQT', patient: 'ann' },
  scopes: ['patient/*.cruds'],
};
const narrative = (word: string): JsonObject => ({ status: 'generated', div: `<div>${word}</div>` });
/** What is decided on differs from word to word, too. */
const worded = (word: string, dateTime = '2026-11-01'): JsonObject => ({
  ...composeConsent('northside'),
  ...{ dateTime, text: narrative(word) },
});

describe('what was split off a consent', () => {
  let world: SharingWorld;
  let consentId: string;

  beforeEach(async () => {
    world = await SharingWorld.open();
    await annAt(world);
    consentId = await sendConsent(world.stmary, worded('first'));
  });
  afterEach(() => world.close());

  /** The narrative of a version, as staff of the custodian read it. */
  async function textOf(version: number): Promise<unknown> {
    const stored = world.stmary.projected.version('Consent', consentId, version);
    const path = `Consent/${consentId}/_history/${version}`;
    const request = { method: 'GET', path, query: new URLSearchParams(), headers: {}, actor: adams };
    const answer = await world.stmary.sharing.handlers.Consent!(request, 'vread', () =>
      Promise.resolve({ status: 200, headers: {}, resource: stored!.text }),
    );
    return (answer.resource as JsonObject).text;
  }

  /** Two updates of the version in force whose texts are both kept before the ledger gets either; the one named wins. */
  async function raced(winner: 'early' | 'late'): Promise<void> {
    const gates = [0, 1].map(() => ({
      reached: Promise.withResolvers<undefined>(),
      open: Promise.withResolvers<undefined>(),
    }));
    const waiting = [...gates];
    const submit = world.submit.bind(world);
    world.submit = async (member, name, call) => {
      const gate = name === 'consent:record' ? waiting.shift() : undefined;
      gate?.reached.resolve(undefined);
      await gate?.open.promise;
      return await submit(member, name, call);
    };
    const updates: Promise<string>[] = [];
    for (const [index, word] of ['early', 'late'].entries()) {
      updates.push(sendConsent(world.stmary, worded(word, `2026-11-0${index + 2}`), consentId));
      await gates[index]!.reached.promise;
    }
    const [won, lost] = winner === 'early' ? [0, 1] : [1, 0];
    gates[won]!.open.resolve(undefined);
    await updates[won];
    gates[lost]!.open.resolve(undefined);
    await assert.rejects(updates[lost]!, { code: 'version-conflict' });
    world.submit = submit;
  }

  it('is joined with the version that it came with, whichever of two at once the ledger takes', async () => {
    await raced('early');
    assert.deepEqual(await textOf(2), narrative('early'));
    await sendConsent(world.stmary, worded('between', '2026-11-09'), consentId);
    await raced('late');
    assert.deepEqual(await textOf(4), narrative('late'));
    assert.deepEqual([await textOf(1), await textOf(3)], [narrative('first'), narrative('between')]);
  });

  it('makes a version where it is all that changed, and none where nothing did', async () => {
    await sendConsent(world.stmary, worded('second'), consentId);
    assert.deepEqual(await textOf(2), narrative('second'));
    const { text, ...rest } = worded('second');
    await sendConsent(world.stmary, { text, ...rest }, consentId);
    assert.equal(world.stmary.projected.current('Consent', consentId)?.version, 2);
  });

  it('stays with a consent that another hospital asked to end', async () => {
    const body = JSON.stringify({
      ...{ resourceType: 'Consent', id: consentId, status: 'inactive' },
      patient: { reference: 'Patient/ann' },
    });
    const path = `Consent/${consentId}`;
    const request = { method: 'PUT', path, query: new URLSearchParams(), headers: {}, body, actor: ann };
    const answer = await world.northside.sharing.handlers.Consent!(request, 'update', () => assert.fail());
    assert.equal(answer.status, 200);
    assert.deepEqual(await textOf(2), narrative('first'));
  });
});
