import assert from 'node:assert/strict';

import { decide, mayAskAtAll, type AccessRequest } from '@salus/chaincode/consent/decide';
import { Mandates } from '@salus/gateway/consent/mandates';

import { FhirServer } from '../support/fhir-server.js';
import * as w from './world.js';
import { by, consent, deny, laboratory, NOW, optIn, permit, resource, within } from './world.js';

const lab = resource(w.glucose);
const vital = resource(w.pulse);
const RelatedPerson = 'RelatedPerson/aunt';
const family = { role: 'guardian', purpose: 'FAMRQT', representative: RelatedPerson } as const;
const delegate = (change: Partial<AccessRequest> = {}): AccessRequest => within({ ...family, ...change });
const guardian = (): AccessRequest => delegate({ isPatient: true });
const toAunt = (...dimensions: object[]) =>
  consent(permit(Object.assign({}, by.literal(RelatedPerson), ...dimensions) as object));

describe('what a delegate or guardian sees', () => {
  const cases: readonly [title: string, 'permit' | 'deny', AccessRequest, typeof lab, Parameters<typeof decide>[2]][] =
    [
      ['a delegate sees nothing without a consent', 'deny', delegate(), lab, []],
      ['and what the patient permits to that person', 'permit', delegate(), lab, [toAunt()]],
      ['within its limits', 'permit', delegate(), lab, [toAunt(laboratory)]],
      ['and nothing beyond them', 'deny', delegate(), vital, [toAunt(laboratory)]],
      ['until its end', 'deny', delegate(), lab, [toAunt({ period: { end: '2026-02-28' } })]],
      ['for its purpose alone', 'deny', delegate({ purpose: 'PATRQT' }), lab, [toAunt(by.purpose('FAMRQT'))]],
      ['not what is permitted to all', 'deny', delegate(), lab, [optIn()]],
      ['nor to the hospital', 'deny', delegate(), lab, [consent(permit(by.member('stmary')))]],
      ['nor to guardians', 'deny', delegate(), lab, [consent(permit(by.identifier('guardian', 'urn:salus:role')))]],
      ['nor to another delegate', 'deny', delegate({ representative: 'RelatedPerson/uncle' }), lab, [toAunt()]],
      ['nor by a mandate that ended', 'deny', delegate({ representative: 'RelatedPerson/' }), lab, [toAunt()]],
      [
        'what a rule within one to that person permits',
        'permit',
        delegate(),
        lab,
        [consent(deny({ ...by.literal(RelatedPerson), provision: [permit(laboratory)] }))],
      ],
      ['not what is denied to everybody', 'deny', delegate(), lab, [toAunt(), consent(deny(laboratory))]],
      ['a delegate of this patient is nobody elsewhere', 'deny', delegate({ member: 'northside' }), lab, [optIn()]],
      ['a guardian sees all', 'permit', guardian(), vital, []],
      ['whatever is denied to others', 'permit', guardian(), lab, [consent(deny(laboratory))]],
      [
        'but what is denied to that person',
        'deny',
        guardian(),
        lab,
        [consent(deny({ ...by.literal(RelatedPerson), ...laboratory }))],
      ],
      ['and the rest', 'permit', guardian(), vital, [consent(deny({ ...by.literal(RelatedPerson), ...laboratory }))]],
      [
        'the patient sees that, too',
        'permit',
        within({ role: 'patient', purpose: 'PATRQT', isPatient: true }),
        lab,
        [consent(deny(by.literal(RelatedPerson)))],
      ],
    ];
  for (const [title, outcome, request, facts, consents] of cases) {
    it(`${title}: ${outcome}`, () => {
      assert.equal(decide(request, facts, consents, NOW).outcome, outcome);
      if (outcome === 'permit') assert.equal(mayAskAtAll(request, consents, NOW).outcome, 'permit');
    });
  }
});

describe('who is a guardian or delegate', () => {
  let server: FhirServer;
  let mandates: Mandates;

  beforeEach(async () => {
    server = new FhirServer();
    mandates = new Mandates({ index: server.projection, pseudonym: (subject) => `p-${subject}`, now: () => NOW });
    await kept('Patient/kim', { birthDate: '2010-06-01' });
  });
  afterEach(() => server.close());

  async function kept(name: string, fields: object): Promise<void> {
    const [resourceType, id] = name.split('/');
    const answer = await server.ask(`PUT ${name}`, { body: { resourceType, id, ...fields } });
    assert.ok(answer.status < 300, JSON.stringify(answer.json));
  }

  const related = (code: string | undefined, fields: object = {}): Promise<void> =>
    kept('RelatedPerson/r', {
      patient: { reference: 'Patient/kim' },
      identifier: [{ system: 'urn:salus:user', value: 'mum' }],
      ...(code === undefined ? {} : { relationship: [{ coding: [{ system: ROLE_CODE, code }] }] }),
      ...fields,
    });
  const kind = (user = 'p-mum', patient = 'kim'): string => mandates.of(user, patient).kind;

  it('a parent is guardian', async () => {
    await related('MTH');
    assert.deepEqual(mandates.of('p-mum', 'kim'), { kind: 'guardian', person: 'r' });
    assert.equal(kind('p-dad'), 'none');
    assert.equal(kind('mum'), 'none', 'by pseudonym alone');
    assert.equal(kind('p-mum', 'other'), 'none');
  });

  for (const [birthDate, expected] of [
    ['2008-03-02', 'guardian'],
    ['2008-03-01', 'none'],
    ['2008-04', 'guardian'],
    ['2008', 'none'],
    ['2025-12-24', 'guardian'],
    [undefined, 'none'],
  ] as const) {
    it(`a parent of who was born ${birthDate ?? 'nobody knows when'} is ${expected} on 1 March 2026`, async () => {
      await related('FTH');
      await kept('Patient/kim', birthDate === undefined ? { gender: 'female' } : { birthDate });
      assert.equal(kind(), expected);
    });
  }

  it('whom a court appointed is guardian at any age, until the end of the period', async () => {
    await kept('Patient/kim', { birthDate: '1930-01-01' });
    await related('GUARD');
    assert.equal(kind(), 'guardian');
    assert.equal(mandates.ofPerson('kim', 'r')?.until, Infinity);
    await related('GUARD', { period: { end: '2026-03-01' } });
    assert.equal(kind(), 'guardian');
    assert.equal(mandates.ofPerson('kim', 'r')?.until, Date.parse('2026-03-02T00:00:00Z'));
    await related('GUARD', { period: { end: '2026-02-28' } });
    assert.equal(kind(), 'none');
    await related('GUARD', { period: { start: '2026-03-02' } });
    assert.equal(kind(), 'none');
  });

  it('staff end a mandate', async () => {
    await related('GUARD', { active: false });
    assert.equal(kind(), 'none');
  });

  it('anybody else is a delegate, and a guardian where both are said', async () => {
    await related('AUNT');
    assert.equal(kind(), 'delegate');
    await kept('RelatedPerson/s', {
      patient: { reference: 'Patient/kim' },
      identifier: [{ system: 'urn:salus:user', value: 'mum' }],
      relationship: [{ coding: [{ system: ROLE_CODE, code: 'HPOWATT' }] }],
    });
    assert.deepEqual(mandates.of('p-mum', 'kim'), { kind: 'guardian', person: 's' });
    await related(undefined);
    assert.equal(mandates.ofPerson('kim', 'r')?.kind, 'delegate');
  });
});

const ROLE_CODE = 'http://terminology.hl7.org/CodeSystem/v3-RoleCode';
