import assert from 'node:assert/strict';
import type { KitRecord } from '@salus/chaincode/trial/api';
import { majorityOf } from '@salus/chaincode/registry/api';
import { digest } from '@salus/chaincode/dist/lib/canonical.js';
import { MAX_KIT_UNITS } from '@salus/chaincode/dist/trial/kit-acts.js';
import { validationIssues } from '@salus/gateway/fhir/validate';
import { SigningKey } from '../support/signing.js';
import { approval, manyMembers, memberEntry, random } from '../support/contract-world.js';
import { call, LotOfUnits, PREFIX } from '../supply/world.js';
import { Gateways, resourcesIn } from './ledger-double.js';
import { seriousEvent, TRIAL, TrialWorld } from './world.js';

const STUDY = `ResearchStudy/${TRIAL}`;

const lot = new LotOfUnits(3);
const opened = { lot: lot.lotId, salt: random() };
const pharmacist = ['stmary', 'pharmacist'] as const;
const supplier = ['tally', 'supply-operator'] as const;
const monitor = ['acme', 'monitor'] as const;

describe('a kit of a trial', () => {
  let world: TrialWorld;
  let kit: string;
  let gateways: Gateways;

  const asked = async ([member, role]: readonly [string, string], act: string, n: number, about: object = {}) => {
    const { kid } = await world.delegate(member, role);
    return { kit, n, act, delegate: kid, ...about };
  };
  const does = async (who: readonly [string, string], act: string, n: number, about: object = {}): Promise<void> => {
    await world.act(...who, 'kit', await asked(who, act, n, about));
  };
  const refused = async (code: string, who: readonly [string, string], act: string, n: number, about: object = {}) => {
    await world.refused(code, ...who, 'kit', await asked(who, act, n, about));
  };
  const line = async (): Promise<readonly KitRecord[]> => {
    const { payload } = await world.ledger.evaluate(
      'authority',
      'trial:kits',
      world.call('regulator', { trial: 'TRIAL-1' }),
    );
    return (JSON.parse(payload) as readonly KitRecord[]).filter((each) => each.kit === kit);
  };

  /** The status of `$exposed`, and the values of its answer. */
  const exposed = async (
    member: string,
    role: string,
    query: string,
  ): Promise<readonly [number, readonly unknown[]]> => {
    const { status, resource } = await gateways.ask(member, role, 'GET', `${STUDY}/$exposed?${query}`);
    const { parameter = [] } = resource as {
      parameter?: { part: { valueString?: string; valueReference?: object }[] }[];
    };
    const values = parameter.flatMap(({ part }) => part.map((each) => each.valueString ?? each.valueReference));
    return [
      status,
      values.map((each) => (typeof each === 'object' ? (each as { reference: string }).reference : each)),
    ];
  };

  before(async () => {
    world = await TrialWorld.enrolling();
    gateways = new Gateways(world);
    await world.enrolled('P1', 'stmary', 's1', 1);
    await world.enrolled('P2', 'northside', 's1', 2);
    kit = world.lists.get('s1')![0]!.kit;
  });

  it('is shipped to a site of the trial by whoever supplies, as a list names it, its lot committed to', async () => {
    const shipment = { stratum: 's1', site: 'stmary', pack: digest(opened), units: 28 };
    await refused('not-your-role', pharmacist, 'ship-kit', 1, shipment);
    await refused('kit-state', pharmacist, 'receive-kit', 1);
    await refused('unknown-kit', supplier, 'ship-kit', 1, { ...shipment, kit: 'K-forged' });
    await refused('unknown-kit', supplier, 'ship-kit', 1, { ...shipment, stratum: 's2' });
    await refused('kit-elsewhere', supplier, 'ship-kit', 1, { ...shipment, site: 'medisure' });
    await refused('kit-incomplete', supplier, 'ship-kit', 1, { ...shipment, pack: undefined });
    await refused('kit-incomplete', supplier, 'ship-kit', 1, { ...shipment, units: 0 });
    await refused('invalid-request', supplier, 'ship-kit', 1, { ...shipment, units: MAX_KIT_UNITS + 1 });
    await refused('not-delegated', supplier, 'ship-kit', 1, { ...shipment, delegate: 'nobody' });
    await does(supplier, 'ship-kit', 1, shipment);
    await refused('kit-out-of-line', supplier, 'ship-kit', 1, shipment);
    await refused('kit-out-of-line', pharmacist, 'receive-kit', 3);
  });

  it('is packed, released and opened by nobody of the sponsor, who would know its lot, and so its arm', async () => {
    const { kid } = await world.delegate(...supplier);
    const sponsors = new SigningKey('acme.supply-operator');
    const delegated = { role: 'supply-operator', jwk: sponsors.jwk };
    await world.refused('not-your-part', 'acme', 'sponsor', 'delegate', delegated);
    const shipment = { stratum: 's1', site: 'stmary', pack: digest(opened), units: 28 };
    const next = world.lists.get('s1')![1]!.kit;
    for (const [act, n, about] of [
      ['ship-kit', 1, shipment],
      ['release-kit', 2, { reason: 'within the allowance of the lot' }],
      ['open-kit', 2, { opened }],
    ] as const) {
      const asked = { kit: act === 'ship-kit' ? next : kit, n, act, delegate: kid, ...about };
      await world.refused('not-a-party', 'acme', 'supply-operator', 'kit', asked);
      await world.refused('not-your-role', 'acme', 'sponsor', 'kit', asked);
    }
  });

  it('is received, held after an excursion from the cold chain, and dispensed to nobody until it is released', async () => {
    const patient = { participant: 'P1', consent: 1 };
    await refused('kit-state', pharmacist, 'dispense-kit', 2, patient);
    await refused('kit-elsewhere', ['northside', 'pharmacist'], 'receive-kit', 2);
    await does(pharmacist, 'receive-kit', 2);
    await refused('kit-incomplete', pharmacist, 'excursion-kit', 3);
    await does(pharmacist, 'excursion-kit', 3, { excursion: random() });
    await refused('kit-state', pharmacist, 'dispense-kit', 4, patient);
    await refused('not-your-role', pharmacist, 'release-kit', 4, { reason: 'it will do' });
    await refused('reason-missing', supplier, 'release-kit', 4);
    await does(supplier, 'release-kit', 4, { reason: 'within the allowance of the lot' });
    assert.deepEqual(
      (await line()).map(({ state }) => state),
      ['shipped', 'received', 'quarantined', 'received'],
    );
  });

  it('goes to whom it is assigned and who consents, and no other', async () => {
    await refused('kit-not-assigned', pharmacist, 'dispense-kit', 5, { participant: 'P2', consent: 1 });
    await refused('kit-not-assigned', pharmacist, 'dispense-kit', 5, { consent: 1 });
    await refused('no-consent', pharmacist, 'dispense-kit', 5, { participant: 'P1', consent: 2 });
    await refused('not-your-role', ['stmary', 'coordinator'], 'dispense-kit', 5, { participant: 'P1', consent: 1 });
  });

  it('waits for a new consent once the deadline of a newer document is over, and goes then to that person once', async () => {
    await world.document(2, new Date(world.ledger.clockMs + 60_000).toISOString());
    await world.ledger.pass(90_000, 'stmary');
    await refused('consent-superseded', pharmacist, 'dispense-kit', 5, { participant: 'P1', consent: 1 });
    await world.act('stmary', 'investigator', 'consent', await world.consentOf('P1', 'stmary', 2, 2));
    await refused('consent-out-of-line', pharmacist, 'dispense-kit', 5, { participant: 'P1', consent: 1 });
    await does(pharmacist, 'dispense-kit', 5, { participant: 'P1', consent: 2 });
    await refused('kit-state', pharmacist, 'dispense-kit', 6, { participant: 'P1', consent: 2 });
  });

  it('is named by an adverse event, and found where a site asks who was exposed; its lot is not known yet', async () => {
    await world.ledger.pass(30_000, 'northside');
    const awareAt = new Date(world.ledger.clockMs).toISOString();
    await world.act('stmary', 'investigator', 'report-event', seriousEvent(random(), { awareAt }));
    const [found] = resourcesIn(await gateways.ask('authority', 'regulator', 'GET', `AdverseEvent?study=${STUDY}`));
    assert.deepEqual(validationIssues(found!), []);
    assert.match(JSON.stringify(found), new RegExp(`"urn:salus:kit","value":"${kit}"`));
    assert.doesNotMatch(JSON.stringify(found), /supply-lot/);
    gateways.facts.set('stmary subject/TRIAL-1/P1', 'ann');
    assert.deepEqual(await exposed('stmary', 'pharmacist', `kit=${kit}&kit=K-other`), [
      200,
      ['P1', kit, 'Patient/ann'],
    ]);
    assert.deepEqual(gateways.shown, ['stmary ann']);
    assert.deepEqual(await exposed('stmary', 'pharmacist', `lot=${lot.lotId}`), [200, []]);
    assert.deepEqual(await exposed('northside', 'investigator', `kit=${kit}`), [200, []]);
    assert.deepEqual(await exposed('stmary', 'pharmacist', ''), [400, []]);
    for (const [member, role] of [
      ['acme', 'sponsor'],
      ['tally', 'cro'],
      ['authority', 'regulator'],
      ['stmary', 'nurse'],
    ]) {
      assert.deepEqual(await exposed(member!, role!, `kit=${kit}`), [403, []]);
    }
  });

  it('comes back and is counted; a count that differs is explained', async () => {
    await refused('kit-count', pharmacist, 'return-kit', 6, { units: 29 });
    await does(pharmacist, 'return-kit', 6, { units: 3 });
    await refused('not-your-role', pharmacist, 'reconcile-kit', 7, { units: 3 });
    await refused('reason-missing', monitor, 'reconcile-kit', 7, { units: 2 });
    await does(monitor, 'reconcile-kit', 7, { units: 2, reason: 'one was lost' });
    const last = (await line()).at(-1)!;
    assert.deepEqual([last.state, last.units, last.returned, last.counted], ['reconciled', 28, 3, 2]);
    assert.equal(last.participant, 'P1');
  });

  it('says its lot after unblinding alone, and only the one committed to', async () => {
    await refused('not-now', supplier, 'open-kit', 8, { opened });
    await world.locked();
    await world.act('tally', 'statistician', 'reveal', { stratum: 's1', slots: world.lists.get('s1') });
    await refused('reveal-mismatch', supplier, 'open-kit', 8, { opened: { ...opened, lot: random() } });
    await refused('unknown-lot', supplier, 'open-kit', 8, { opened });
    const licensed = approval({ ...memberEntry('acme'), gcp: [PREFIX], replaces: digest(memberEntry('acme')) });
    for (const voter of manyMembers.slice(0, majorityOf(manyMembers.length)))
      await world.ledger.submit(voter, 'registry:approve', licensed);
    await world.ledger.submit('acme', 'supply:commit', call(lot.request()));
    await does(supplier, 'open-kit', 8, { opened });
    await refused('kit-out-of-line', supplier, 'open-kit', 9, { opened });
    assert.deepEqual((await line()).at(-1)?.opened, opened);
    const [found] = resourcesIn(await gateways.ask('authority', 'regulator', 'GET', `AdverseEvent?study=${STUDY}`));
    assert.deepEqual(validationIssues(found!), []);
    assert.match(JSON.stringify(found), new RegExp(`"urn:salus:supply-lot","valueString":"${lot.lotId}"`));
    assert.deepEqual(await exposed('stmary', 'pharmacist', `lot=${lot.lotId}`), [200, ['P1', kit, 'Patient/ann']]);
    assert.deepEqual(await exposed('northside', 'pharmacist', `lot=${lot.lotId}`), [200, []]);
  });
});
