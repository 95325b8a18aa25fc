import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import type { JsonObject } from '@salus/gateway/fhir/json';
import { Retriable } from '@salus/gateway/ledger/failure';
import { Refusal } from '@salus/gateway/ledger/refusal';
import { submitCall } from '@salus/gateway/ledger/submit';
import type { Actor } from '@salus/gateway/ports';

import { composeConsent, sendConsent } from '../door/consents.js';
import { adams, annAt } from '../support/ann.js';
import { eventually } from '../support/eventually.js';
import { SharingWorld } from '../support/sharing-world.js';

const SCOPES = ['user/*.cruds'];
const baker: Actor = { member: 'northside', user: 'u-baker', role: 'physician', purpose: 'TREAT', scopes: SCOPES };
/** Longer than a door waits for an access to be committed. */
const TOO_LONG_MS = 1_600;

describe('a door asked while peers commit the access', () => {
  let world: SharingWorld;
  /** What came to stmary's door, and how often its record was looked at for it. */
  let heard: string[];
  let looked: number;

  const search = async (): Promise<string[]> => {
    const request = { method: 'GET', path: 'Observation', query: new URLSearchParams('patient=ann'), headers: {} };
    const { remote } = world.northside.sharing;
    const answer = await remote.search({ ...request, actor: baker }, ['Observation'], 'ann');
    const { entry } = answer?.resource as { entry: { resource: JsonObject }[] };
    return entry.flatMap(({ resource }) => (typeof resource.id === 'string' ? [resource.id] : []));
  };

  /** What is done where an access is ordered, before it is committed. */
  function whileCommitting(work: () => Promise<unknown>): void {
    world.committing = async (name) => {
      if (name === 'access:request') await work();
    };
  }

  beforeEach(async () => {
    world = await SharingWorld.open();
    await annAt(world);
    const text = JSON.stringify({ resourceType: 'Observation', id: 'o1', subject: { reference: 'Patient/ann' } });
    const write = { type: 'Observation', id: 'o1', expect: 0, text, patient: 'ann' };
    await world.stmary.sharing.writer.write(adams, [write]);
    [heard, looked] = [[], 0];
    world.stmary.server?.on('request', ({ url }: { url: string }) => heard.push(url));
    const { decision } = world.stmary.sharing;
    const disclosing = decision.disclosing.bind(decision);
    decision.disclosing = (...framed) => {
      looked += 1;
      return disclosing(...framed);
    };
  });
  afterEach(() => world.close());

  it('hears the question at once, and tells nothing before its own peer has committed the access', async () => {
    await sendConsent(world.stmary, composeConsent('northside'));
    const taken = Promise.withResolvers<undefined>();
    whileCommitting(() => taken.promise);
    let shown: string[] | undefined;
    const found = search().then((names) => (shown = names));
    await eventually(() => {
      assert.equal(heard.length, 1);
      return Promise.resolve();
    });
    await sleep(100);
    assert.deepEqual([looked, shown], [0, undefined]);
    taken.resolve(undefined);
    assert.deepEqual(await found, ['o1']);
    // It was asked once: what it was asked early is what is shown.
    assert.deepEqual([heard.length, looked], [1, 1]);
  });

  it('tells nothing where the access never becomes valid', async () => {
    await sendConsent(world.stmary, composeConsent('northside'));
    whileCommitting(() => Promise.reject(new Refusal('unavailable', 'transaction-invalid', 'found invalid')));
    await assert.rejects(search(), (error) => error instanceof Refusal && error.code === 'transaction-invalid');
    await sleep(TOO_LONG_MS);
    assert.deepEqual([heard.length, looked], [1, 0]);
  });

  it('is not asked where the consents do not permit it', async () => {
    assert.deepEqual(await search(), []);
    await sendConsent(world.stmary, composeConsent('authority'));
    assert.deepEqual(await search(), []);
    const replaced = await sendConsent(world.stmary, composeConsent('northside'));
    const extension = [{ url: 'urn:salus:replaces', valueReference: { reference: `Consent/${replaced}` } }];
    await sendConsent(world.stmary, { ...composeConsent('authority'), extension });
    assert.deepEqual(await search(), []);
    // A question that was on its way would have come by then.
    await sleep(500);
    assert.deepEqual(
      heard.filter((url) => url.includes('Observation')),
      [],
    );
  });

  it('tells nothing when the ledger denies what was permitted a moment before', async () => {
    const consentId = await sendConsent(world.stmary, composeConsent('northside'));
    const submit = world.submit.bind(world);
    world.submit = async (...call) => {
      if (call[1] !== 'access:request') return await submit(...call);
      world.submit = submit;
      // The withdrawal is committed, and northside's projection is a moment behind.
      const { projected } = world.northside;
      const apply = projected.apply.bind(projected);
      projected.apply = () => undefined;
      await sendConsent(world.stmary, { ...composeConsent('northside'), status: 'inactive' }, consentId);
      projected.apply = apply;
      return await submit(...call);
    };
    assert.deepEqual(await search(), []);
    await eventually(() => {
      assert.equal(heard.filter((url) => url.includes('Observation')).length, 1);
      return Promise.resolve();
    });
    assert.equal(looked, 0);
  });

  it('is asked again where the ledger took longer than a door waits', async () => {
    await sendConsent(world.stmary, composeConsent('northside'));
    whileCommitting(() => sleep(TOO_LONG_MS));
    assert.deepEqual(await search(), ['o1']);
    assert.deepEqual([heard.length, looked], [2, 1]);
  });

  it('that is away is said to be, once', async () => {
    await sendConsent(world.stmary, composeConsent('northside'));
    world.stmary.server?.closeAllConnections();
    await new Promise((resolve) => world.stmary.server?.close(resolve));
    assert.deepEqual(await search(), []);
    assert.deepEqual(world.northside.alarms, ['custodian-missing']);
    const { remote } = world.northside.sharing;
    const path = { method: 'GET', path: 'Observation/o1', query: new URLSearchParams(), headers: {}, actor: baker };
    const asked = [path, { type: 'Observation', id: 'o1', patient: 'ann' }] as const;
    await assert.rejects(remote.read(...asked), { category: 'unavailable', code: 'custodian-missing' });
    await assert.rejects(remote.history(...asked), { code: 'custodian-missing' });
    await assert.rejects(remote.history(...asked, 1), { code: 'custodian-missing' });
  });
});

describe('whoever submits a transaction', () => {
  const call = { transaction: 'access:request' };
  const endorsed = { txId: 't', envelope: new Uint8Array() };
  /** How often it is told that the transaction was ordered, where sending comes to these ends, one after the other. */
  async function told(sendings: readonly (Error | undefined)[], codes: readonly number[] = [0]): Promise<number> {
    const [ends, outcomes] = [[...sendings], [...codes]];
    let count = 0;
    const steps = {
      endorse: () => Promise.resolve(endorsed),
      send: () => {
        const end = ends.shift();
        return end === undefined ? Promise.resolve() : Promise.reject(end);
      },
      outcome: () => Promise.resolve({ block: 1, code: outcomes.shift() ?? 0 }),
      evaluate: () => Promise.reject(new Error('nothing is evaluated')),
    };
    await submitCall(steps, { ...call, onOrdered: () => (count += 1) }).catch(() => undefined);
    return count;
  }

  it('is told when the ordering service took it, and not when it did not', async () => {
    assert.equal(await told([undefined]), 1);
    assert.equal(await told([new Refusal('unavailable', 'orderer-declined', 'declined')]), 0);
    assert.equal(await told([new Retriable('unavailable'), undefined]), 1);
    // Voided by a conflict: it is endorsed and ordered again.
    assert.equal(await told([undefined, undefined], [11, 0]), 2);
  });
});
