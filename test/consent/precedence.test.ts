import assert from 'node:assert/strict';

import { decide, mayAskAtAll } from '@salus/chaincode/consent/decide';

import * as w from './world.js';
import { ask, by, consent, deny, laboratory, NOW, permit, resource, system, within } from './world.js';

const lab = resource(w.glucose);
const condition = resource(w.asthma);
const north = by.member('northside');
const labelled = (level: string | undefined, ...kinds: string[]) =>
  resource(w.asthma, {
    security: [
      ...(level === undefined ? [] : [{ system: system.confidentiality, code: level }]),
      ...kinds.map((code) => ({ system: system.sensitivity, code })),
    ],
  });
const outcome = (...input: Parameters<typeof decide>): string => decide(...input).outcome;

describe('which rule stands', () => {
  it('the deeper one: an exception to an exception', () => {
    const rules = permit({
      ...north,
      provision: [deny({ ...by.type('Observation'), provision: [permit(laboratory)] })],
    });
    const decision = decide(ask(), lab, [consent(rules)], NOW);
    assert.equal(decision.rule, 'provision.provision[0].provision[0]');
    assert.equal(decision.outcome, 'permit');
    assert.equal(outcome(ask(), resource(w.pulse), [consent(rules)], NOW), 'deny');
    assert.equal(outcome(ask(), condition, [consent(rules)], NOW), 'permit');
  });

  it('to any depth', () => {
    let rules = permit(laboratory);
    for (let depth = 0; depth < 200; depth += 1)
      rules = depth % 2 ? permit({ provision: [rules] }) : deny({ provision: [rules] });
    assert.equal(outcome(ask(), lab, [consent(rules)], NOW), 'permit');
    assert.equal(outcome(ask(), condition, [consent(rules)], NOW), 'deny');
  });

  it('the denial at equal depth, wherever it is listed', () => {
    const pair = [permit(laboratory), deny(by.type('Observation'))];
    for (const provision of [pair, pair.toReversed()]) {
      assert.equal(outcome(ask(), lab, [consent(deny({ provision }))], NOW), 'deny');
    }
  });

  it('a rule below counts only where those above it match', () => {
    const rules = deny({ provision: [permit({ ...by.member('acme'), provision: [permit(laboratory)] })] });
    assert.equal(outcome(ask(), lab, [consent(rules)], NOW), 'deny');
    assert.equal(outcome(ask({ member: 'acme' }), lab, [consent(rules)], NOW), 'permit');
  });

  it('across consents a plain denial', () => {
    const consents = [consent(deny({ provision: [permit(north)] })), consent(deny(north))];
    assert.equal(outcome(ask(), lab, consents, NOW), 'deny');
    assert.equal(outcome(ask(), lab, consents.toReversed(), NOW), 'deny');
  });

  it('but the default denial of a list of permits yields to another list', () => {
    const consents = [
      consent(deny({ provision: [permit({ ...north, ...laboratory })] })),
      consent(deny({ provision: [permit(by.member('acme'))] })),
    ];
    assert.equal(outcome(ask(), lab, consents, NOW), 'permit');
    assert.equal(outcome(ask(), condition, consents, NOW), 'deny');
    assert.equal(outcome(ask({ member: 'acme' }), condition, consents, NOW), 'permit');
  });

  it('names the consent and the version that decided', () => {
    const decided = { ...consent(permit(north)), version: 7 };
    const decision = decide(ask(), lab, [consent(undefined, { status: 'draft' }), decided], NOW);
    assert.deepEqual(decision.consent, { id: decided.id, version: 7 });
  });
});

describe('within the custodian', () => {
  it('an opt-out of sharing does not lock out those who treat', () => {
    assert.equal(outcome(within(), lab, [consent(undefined)], NOW), 'permit');
    assert.equal(outcome(within(), lab, [consent(deny({ provision: [permit(north)] }))], NOW), 'permit');
  });

  it('a denial of data or of an actor does', () => {
    assert.equal(outcome(within(), lab, [consent(deny(laboratory))], NOW), 'deny');
    assert.equal(outcome(within(), condition, [consent(deny(laboratory))], NOW), 'permit');
    const closed = consent(deny(by.identifier('u-adams', 'urn:salus:user')));
    assert.equal(outcome(within(), lab, [closed], NOW), 'deny');
    assert.equal(outcome(within({ user: 'u-chan' }), lab, [closed], NOW), 'permit');
  });

  it('a permit gives a role no more than it needs', () => {
    const biller = within({ role: 'biller', purpose: 'HPAYMT' });
    assert.equal(outcome(biller, resource(w.letter), [consent(permit())], NOW), 'deny');
  });

  it('a permit opens what the table does not govern', () => {
    const researcher = within({ role: 'researcher', purpose: 'HRESCH' });
    assert.equal(outcome(researcher, lab, [consent(permit(by.purpose('HRESCH')))], NOW), 'permit');
  });

  it('no consent stands between the patient and the own record', () => {
    const patient = within({ role: 'patient', purpose: 'PATRQT', isPatient: true });
    assert.equal(outcome(patient, lab, [consent(deny(by.member('stmary')))], NOW), 'permit');
    assert.equal(outcome({ ...patient, member: 'northside' }, lab, [], NOW), 'deny');
  });

  it('a biller is shown no notes inside of what is billed', () => {
    const { obligations } = decide(within({ role: 'biller', purpose: 'HPAYMT' }), condition, [], NOW);
    assert.deepEqual(obligations, [
      {
        kind: 'redact',
        elements: ['note', 'text', 'presentedForm', 'conclusion'],
        types: [
          'DocumentReference',
          'Composition',
          'ClinicalImpression',
          'Communication',
          'QuestionnaireResponse',
          'Media',
          'Binary',
        ],
      },
    ]);
  });
});

describe('labels', () => {
  const permitted = (level: string) => [consent(deny({ provision: [permit({ ...north, ...by.level(level) })] }))];

  it('are a ceiling for permits', () => {
    assert.equal(outcome(ask(), labelled('N'), permitted('N'), NOW), 'permit');
    assert.equal(outcome(ask(), labelled('L'), permitted('N'), NOW), 'permit');
    assert.equal(outcome(ask(), labelled('R'), permitted('N'), NOW), 'deny');
    assert.equal(outcome(ask(), labelled('R'), permitted('R'), NOW), 'permit');
    assert.equal(outcome(ask(), labelled('V'), permitted('R'), NOW), 'deny');
  });

  it('are a floor for denials', () => {
    const denied = [consent(permit({ ...north, provision: [deny(by.level('R'))] }))];
    assert.equal(outcome(ask(), labelled('N'), denied, NOW), 'permit');
    assert.equal(outcome(ask(), labelled('R'), denied, NOW), 'deny');
    assert.equal(outcome(ask(), labelled('V'), denied, NOW), 'deny');
  });

  it('unlabelled counts as R', () => {
    assert.equal(outcome(ask(), labelled(undefined), permitted('N'), NOW), 'deny');
    assert.equal(outcome(ask(), labelled(undefined), permitted('R'), NOW), 'permit');
  });

  it('a sensitive kind counts as R whatever its level says', () => {
    assert.equal(outcome(ask(), labelled('N', 'PSY'), permitted('N'), NOW), 'deny');
  });

  it('a permitted kind covers nothing beside it', () => {
    const psychiatry = [consent(deny({ provision: [permit({ ...north, ...by.kind('PSY') })] }))];
    assert.equal(outcome(ask(), labelled('R', 'PSY'), psychiatry, NOW), 'permit');
    assert.equal(outcome(ask(), labelled('R', 'PSY', 'HIV'), psychiatry, NOW), 'deny');
    assert.equal(outcome(ask(), labelled('R'), psychiatry, NOW), 'deny');
  });

  it('a denied kind covers whatever carries it, and the narrower kinds', () => {
    const denied = [consent(permit({ ...north, provision: [deny(by.kind('ETH'))] }))];
    assert.equal(outcome(ask(), labelled('R', 'PSY'), denied, NOW), 'permit');
    assert.equal(outcome(ask(), labelled('R', 'PSY', 'ETH'), denied, NOW), 'deny');
    assert.equal(outcome(ask(), labelled('R', 'OPIOIDUD'), denied, NOW), 'deny');
  });

  it('a rule below may raise the ceiling for whom it names', () => {
    const rules = permit({
      ...by.level('N'),
      ...by.purpose('TREAT'),
      provision: [permit({ ...by.identifier('northside/u-baker', 'urn:salus:user'), ...by.level('R') })],
    });
    assert.equal(outcome(ask(), labelled('R'), [consent(rules)], NOW), 'permit');
    assert.equal(outcome(ask({ user: 'u-chan' }), labelled('R'), [consent(rules)], NOW), 'deny');
    assert.equal(outcome(ask({ user: 'u-chan' }), labelled('N'), [consent(rules)], NOW), 'permit');
  });

  it('a rule below without labels stays under the ceiling above it', () => {
    const rules = permit({ ...by.level('N'), provision: [permit(north)] });
    assert.equal(outcome(ask(), labelled('R'), [consent(rules)], NOW), 'deny');
  });

  it('are assigned by codes too', () => {
    const hiv = resource({
      resourceType: 'Condition',
      code: { coding: [{ system: system.snomed, code: '86406008' }] },
    });
    const denied = [consent(permit({ ...north, provision: [deny(by.kind('HIV'))] }))];
    assert.equal(outcome(ask(), hiv, denied, NOW), 'deny');
    assert.equal(outcome(ask(), condition, denied, NOW), 'permit');
  });

  it('of substance use put the recipient under 42 CFR part 2', () => {
    const [obligation] = decide(ask(), labelled('R', 'ETHUD'), [consent(permit(north))], NOW).obligations;
    assert.equal(obligation?.kind, 'no-redisclosure');
    assert.match(obligation.notice, /42 CFR part 2/);
    assert.deepEqual(decide(ask(), labelled('R', 'PSY'), [consent(permit(north))], NOW).obligations, []);
  });
});

describe('a period of data', () => {
  const stay = resource({ resourceType: 'Encounter', period: { start: '2024-12-30', end: '2025-01-02' } });
  const year = { dataPeriod: { start: '2025', end: '2025' } };

  it('permits what lies in it as a whole', () => {
    assert.equal(outcome(ask(), stay, [consent(permit({ ...north, ...year }))], NOW), 'deny');
  });

  it('denies whatever touches it', () => {
    assert.equal(outcome(ask(), stay, [consent(permit({ ...north, provision: [deny(year)] }))], NOW), 'deny');
    const later = { dataPeriod: { start: '2025-01-03' } };
    assert.equal(outcome(ask(), stay, [consent(permit({ ...north, provision: [deny(later)] }))], NOW), 'permit');
  });
});

describe('when a resource is from', () => {
  const day = '2025-05-10';
  const dated: readonly (readonly [string, object])[] = [
    ['QuestionnaireResponse', { authored: day }],
    ['MedicationDispense', { whenHandedOver: day }],
    ['Communication', { sent: day }],
    ['Media', { createdDateTime: day }],
    ['DetectedIssue', { identifiedDateTime: day }],
    ['Appointment', { start: `${day}T08:00:00Z` }],
    ['Goal', { startDate: day }],
    ['VisionPrescription', { dateWritten: day }],
    ['Specimen', { receivedTime: day }],
    ['Account', { servicePeriod: { start: day, end: day } }],
    ['DeviceUseStatement', { timingDateTime: day }],
  ];
  for (const [resourceType, when] of dated) {
    it(`is said by ${Object.keys(when).join()} of ${resourceType}`, () => {
      const facts = resource({ resourceType, ...when });
      const within = (start: string): string =>
        outcome(ask(), facts, [consent(permit({ ...north, dataPeriod: { start, end: '2025-12-31' } }))], NOW);
      assert.deepEqual([within('2025-01-01'), within('2025-06-01')], ['permit', 'deny']);
    });
  }
});

describe('mayAskAtAll', () => {
  const asks = (rules: Parameters<typeof consent>[0], request = ask()) =>
    mayAskAtAll(request, [consent(rules)], NOW).outcome;

  it('permits what some resource could be', () => {
    assert.equal(asks(deny({ provision: [permit({ ...north, ...laboratory })] })), 'permit');
    assert.equal(asks(permit(laboratory)), 'permit');
    assert.equal(asks(deny({ ...laboratory })), 'deny');
  });

  it('denies who is named nowhere', () => {
    assert.equal(asks(deny({ provision: [permit(north)] }), ask({ member: 'acme' })), 'deny');
    assert.equal(mayAskAtAll(ask(), [], NOW).rule, 'implicit/between');
  });

  it('denies where a denial covers every resource', () => {
    assert.equal(asks(permit({ provision: [deny(north)] })), 'deny');
    assert.equal(mayAskAtAll(ask(), [consent(permit(north)), consent(deny(north))], NOW).outcome, 'deny');
  });

  it('says which labels are left out', () => {
    const decision = mayAskAtAll(ask(), [consent(permit({ provision: [deny(by.kind('PSY', 'HIV'))] }))], NOW);
    assert.deepEqual(decision.obligations, [{ kind: 'remove', labels: ['PSY', 'HIV'] }]);
  });
});
