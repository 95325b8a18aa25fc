import assert from 'node:assert/strict';

import {
  decide,
  type AccessRequest,
  type ConsentInForce,
  type Decision,
  type ResourceFacts,
} from '@salus/chaincode/consent/decide';

import * as w from './world.js';
import { ask, by, consent, deny, laboratory, local, NOW, optIn, pcf, permit, resource, within } from './world.js';

type Case = [
  title: string,
  outcome: Decision['outcome'],
  request: AccessRequest,
  facts: ResourceFacts,
  consents: ConsentInForce[],
  rule?: string,
];

const lab = resource(w.glucose);
const vital = resource(w.pulse);
const condition = resource(w.asthma);
const note = resource(w.letter);
const patient = resource(w.person);
const north = by.member('northside');
const BTG = ask({ purpose: 'BTG' });
const withoutLab = consent(permit({ provision: [deny(Object.assign({}, by.purpose('BTG'), laboratory))] }));
const grant = (...dimensions: object[]): ConsentInForce =>
  consent(deny({ provision: [permit(Object.assign({}, north, ...dimensions) as object)] }));
const root = (...dimensions: object[]): ConsentInForce =>
  consent(permit(Object.assign({}, north, ...dimensions) as object));

const specification: Record<string, Case[]> = {
  'without a consent': [
    ['another member sees nothing', 'deny', ask(), lab, [], 'implicit/between'],
    ['a physician of the custodian sees all for treatment', 'permit', within(), condition, []],
    ['coordination of care is treatment', 'permit', within({ purpose: 'COC' }), lab, []],
    ['a physician of the custodian sees nothing for research', 'deny', within({ purpose: 'HRESCH' }), lab, []],
    ['a trial is research, not treatment', 'deny', within({ purpose: 'CLINTRL' }), lab, []],
    ['a biller sees what is billed', 'permit', within({ role: 'biller', purpose: 'HPAYMT' }), condition, []],
    ['a biller sees no notes', 'deny', within({ role: 'biller', purpose: 'HPAYMT' }), note, []],
    ['a biller may not treat', 'deny', within({ role: 'biller' }), lab, []],
    ['the laboratory sees results', 'permit', within({ role: 'laboratory' }), lab, []],
    ['the laboratory sees no diagnoses', 'deny', within({ role: 'laboratory' }), condition, []],
    ['an administrator sees who the patient is', 'permit', within({ role: 'admin', purpose: 'HOPERAT' }), patient, []],
    ['an administrator sees no results', 'deny', within({ role: 'admin', purpose: 'HOPERAT' }), lab, []],
    ['a researcher of the custodian sees nothing', 'deny', within({ role: 'researcher', purpose: 'HRESCH' }), lab, []],
    ['a flagged patient is closed to strangers', 'deny', within({ flagged: true }), lab, [], 'implicit/within/flagged'],
    ['and open to who cares for the patient', 'permit', within({ flagged: true, careRelationship: true }), lab, []],
    ['and in an emergency', 'permit', within({ flagged: true, purpose: 'BTG' }), lab, []],
    [
      'the patient sees the own record',
      'permit',
      within({ role: 'patient', purpose: 'PATRQT', isPatient: true }),
      note,
      [],
    ],
    ['another patient does not', 'deny', within({ role: 'patient', purpose: 'PATRQT' }), note, []],
  ],
  'the base decision': [
    ['root type permit permits', 'permit', ask(), lab, [root()], 'provision'],
    ['root type beats the policy', 'permit', ask(), lab, [root()]],
    ['OPTIN alone permits', 'permit', ask(), lab, [optIn()], 'policyRule'],
    ['OPTOUT alone denies', 'deny', ask(), lab, [consent(undefined)], 'policyRule'],
    [
      'OPTIN with a root without type permits within its dimensions',
      'permit',
      ask(),
      lab,
      [optIn(by.purpose('TREAT'))],
    ],
    [
      'and is silent outside of them',
      'deny',
      ask({ purpose: 'HPAYMT' }),
      lab,
      [optIn(by.purpose('TREAT'))],
      'implicit/between',
    ],
    ['PCF basic-normal permits clinicians to treat', 'permit', ask(), lab, [pcf('basic-normal')], 'policy[0]'],
    ['PCF basic-normal permits no payment', 'deny', ask({ purpose: 'HPAYMT' }), lab, [pcf('basic-normal')]],
    ['PCF basic-normal permits no biller', 'deny', ask({ role: 'biller' }), lab, [pcf('basic-normal')]],
    ['PCF all-normal permits any use', 'permit', ask({ purpose: 'HPAYMT', role: 'biller' }), lab, [pcf('all-normal')]],
    ['PCF break-glass-only denies', 'deny', ask(), lab, [pcf('break-glass-only')]],
    ['PCF deny denies', 'deny', ask(), lab, [pcf('deny')], 'policy[0]'],
    ['an unknown policy leaves the implicit one', 'deny', ask(), lab, [local()], 'implicit/between'],
    ['with rules below that still count', 'permit', ask(), lab, [local({ provision: [permit(north)] })]],
  ],
  'whether a consent applies': [
    ['a draft decides nothing', 'deny', ask(), lab, [consent(permit(), { status: 'draft' })], 'implicit/between'],
    ['an inactive one decides nothing', 'deny', ask(), lab, [consent(permit(), { status: 'inactive' })]],
    ['one entered in error decides nothing', 'deny', ask(), lab, [consent(permit(), { status: 'entered-in-error' })]],
    [
      'consent to undergo treatment decides nothing',
      'deny',
      ask(),
      lab,
      [consent(permit(), { scope: { coding: [{ code: 'treatment' }] } })],
    ],
    ['before its period it is silent', 'deny', ask(), lab, [root({ period: { start: '2026-03-02' } })]],
    ['on the last day it speaks', 'permit', ask(), lab, [root({ period: { end: '2026-03-01' } })]],
    ['after its period it is silent', 'deny', ask(), lab, [root({ period: { end: '2026-02-28' } })]],
    ['dateTime is never decided on', 'permit', ask(), lab, [consent(permit(), { dateTime: '2031-01-01' })]],
    ['a period that cannot be read does not permit', 'deny', ask(), lab, [root({ period: { end: 'soon' } })]],
  ],
  'who asks': [
    ['another member than the named one', 'deny', ask({ member: 'acme' }), lab, [root()]],
    [
      'any of several members',
      'permit',
      ask({ member: 'acme' }),
      lab,
      [consent(permit(by.member('northside', 'acme')))],
    ],
    ['a member named without system', 'permit', ask(), lab, [consent(permit(by.identifier('northside')))]],
    [
      'a member named under a foreign system',
      'deny',
      ask(),
      lab,
      [consent(permit(by.identifier('northside', 'urn:x')))],
    ],
    ['a person', 'permit', ask(), lab, [consent(permit(by.identifier('northside/u-baker', 'urn:salus:user')))]],
    ['whoever has an id', 'deny', ask(), lab, [consent(permit(by.identifier('u-baker', 'urn:salus:user')))]],
    [
      'whoever has an id, within a rule about the member',
      'permit',
      ask(),
      lab,
      [consent(permit({ ...by.member('northside'), provision: [permit(by.identifier('u-baker', 'urn:salus:user'))] }))],
    ],
    [
      'nobody of another member, by a permit in a denial of whoever has an id',
      'deny',
      ask(),
      lab,
      [consent(deny({ ...by.identifier('u-baker', 'urn:salus:user'), provision: [permit()] }))],
    ],
    [
      'a person of another member',
      'deny',
      ask(),
      lab,
      [consent(permit(by.identifier('acme/u-baker', 'urn:salus:user')))],
    ],
    ['somebody else', 'deny', ask(), lab, [consent(permit(by.identifier('u-chan', 'urn:salus:user')))]],
    ['a role', 'permit', ask(), lab, [consent(permit(by.identifier('physician', 'urn:salus:role')))]],
    [
      'another role',
      'deny',
      ask({ role: 'nurse' }),
      lab,
      [consent(permit(by.identifier('physician', 'urn:salus:role')))],
    ],
    [
      'a practitioner by literal reference, who is of the custodian',
      'deny',
      ask(),
      lab,
      [consent(permit(by.literal('Practitioner/u-baker')))],
    ],
    [
      'a care team the actor is in',
      'permit',
      ask({ references: ['CareTeam/t'] }),
      lab,
      [consent(permit(by.literal('CareTeam/t')))],
    ],
    ['a care team the actor is not in', 'deny', ask(), lab, [consent(permit(by.literal('CareTeam/t')))]],
    [
      'any further identifier of the actor',
      'permit',
      ask({ identifiers: [{ system: 'urn:npi', value: '1' }] }),
      lab,
      [consent(permit(by.identifier('1', 'urn:npi')))],
    ],
  ],
  'why and how': [
    ['a narrower kind of treatment is covered', 'permit', ask({ purpose: 'ETREAT' }), lab, [root(by.purpose('TREAT'))]],
    ['payment is not treatment', 'deny', ask({ purpose: 'HPAYMT' }), lab, [root(by.purpose('TREAT'))]],
    ['a trial is research', 'permit', ask({ purpose: 'CLINTRCH' }), lab, [root(by.purpose('HRESCH'))]],
    ['research is not any trial', 'deny', ask({ purpose: 'HRESCH' }), lab, [root(by.purpose('CLINTRCH'))]],
    [
      'denied research denies a trial',
      'deny',
      ask({ purpose: 'CLINTRCH' }),
      lab,
      [optIn({ provision: [deny(by.purpose('HRESCH'))] })],
      'provision.provision[0]',
    ],
    ['break-glass opens to clinicians without a consent', 'permit', BTG, lab, [], 'implicit/break-glass'],
    ['whatever permits or denies treatment says nothing of it', 'permit', BTG, lab, [root(by.purpose('TREAT'))]],
    ['nor does a denial that does not name it', 'permit', BTG, lab, [consent(deny())], 'implicit/break-glass'],
    ['it opens to no biller', 'deny', ask({ purpose: 'BTG', role: 'biller' }), lab, [], 'implicit/between'],
    ['nor to a researcher', 'deny', ask({ purpose: 'BTG', role: 'researcher' }), lab, [], 'implicit/between'],
    ['a patient may exclude it', 'deny', BTG, lab, [consent(deny(by.purpose('BTG')))], 'provision'],
    ['or some of the data', 'deny', BTG, lab, [withoutLab], 'provision.provision[0]'],
    ['the rest stays open', 'permit', BTG, vital, [withoutLab], 'implicit/break-glass'],
    ['PCF deny excludes it, too', 'deny', BTG, lab, [pcf('deny')], 'policy[0]'],
    ['PCF break-glass-only leaves it', 'permit', BTG, lab, [pcf('break-glass-only')], 'implicit/break-glass'],
    [
      'a patient may permit break-glass by name',
      'permit',
      ask({ purpose: 'BTG' }),
      lab,
      [consent(deny({ provision: [permit(by.purpose('BTG'))] }))],
    ],
    [
      'and exclude it by name',
      'deny',
      within({ purpose: 'BTG' }),
      lab,
      [consent(deny({ ...by.member('stmary'), ...by.purpose('BTG') }))],
      'provision',
    ],
    [
      'a denial without its name leaves the custodian’s break-glass',
      'permit',
      within({ purpose: 'BTG' }),
      lab,
      [consent(deny(by.member('stmary')))],
    ],
    ['reading across members is access', 'permit', ask(), lab, [root(by.action('access'))]],
    ['and disclosure', 'permit', ask(), lab, [root(by.action('disclose'))]],
    ['but not correction', 'deny', ask(), lab, [root(by.action('correct'))]],
  ],
  'what of the record': [
    ['laboratory results only: a result', 'permit', ask(), lab, [grant(laboratory)], 'provision.provision[0]'],
    ['laboratory results only: no vital sign', 'deny', ask(), vital, [grant(laboratory)], 'provision'],
    ['laboratory results only: not the patient', 'deny', ask(), patient, [grant(laboratory)]],
    ['data at the root means that data', 'permit', ask(), lab, [root(laboratory)], 'provision'],
    ['and nothing but that data', 'deny', ask(), condition, [root(laboratory)], 'implicit/between'],
    [
      'a rule below cannot reach outside of it',
      'deny',
      ask(),
      condition,
      [root(laboratory, { provision: [permit(by.type('Condition'))] })],
    ],
    ['a class', 'permit', ask(), condition, [grant(by.type('Condition', 'Procedure'))]],
    ['another class', 'deny', ask(), lab, [grant(by.type('Condition'))]],
    ['class and code: both must hold', 'deny', ask(), lab, [grant(by.type('Condition'), laboratory)]],
    ['a code of another system', 'deny', ask(), lab, [grant(by.code('laboratory', 'urn:other'))]],
    ['a code without system', 'permit', ask(), lab, [grant(by.code('2339-0'))]],
    ['this very resource', 'permit', ask(), lab, [grant(by.data('instance', 'Observation/glucose'))]],
    ['not its neighbour', 'deny', ask(), vital, [grant(by.data('instance', 'Observation/glucose'))]],
    ['what refers to the visit', 'permit', ask(), lab, [grant(by.data('dependents', 'Encounter/visit'))]],
    [
      'what the plan refers to',
      'permit',
      ask(),
      resource(w.pulse, {}, ['CarePlan/c']),
      [grant(by.data('related', 'CarePlan/c'))],
    ],
    ['what the plan does not refer to', 'deny', ask(), vital, [grant(by.data('related', 'CarePlan/c'))]],
    ['what Dr Adams wrote', 'permit', ask(), condition, [grant(by.data('authoredby', 'Practitioner/u-adams'))]],
    ['what somebody else wrote', 'deny', ask(), lab, [grant(by.data('authoredby', 'Practitioner/u-adams'))]],
    ['data of a year', 'permit', ask(), lab, [grant({ dataPeriod: { start: '2025', end: '2025' } })]],
    ['data of the day before', 'deny', ask(), vital, [grant({ dataPeriod: { start: '2025', end: '2025' } })]],
    ['undated data is in no permitted period', 'deny', ask(), condition, [grant({ dataPeriod: { start: '1900' } })]],
    [
      'undated data is in every denied period',
      'deny',
      ask(),
      condition,
      [optIn({ provision: [deny({ dataPeriod: { start: '2025' } })] })],
    ],
    [
      'a denied period leaves the patient',
      'permit',
      ask(),
      patient,
      [optIn({ provision: [deny({ dataPeriod: { start: '2025' } })] })],
    ],
  ],
};

describe('decide', () => {
  for (const [chapter, cases] of Object.entries(specification)) {
    describe(chapter, () => {
      for (const [title, outcome, request, facts, consents, rule] of cases) {
        it(`${title}: ${outcome}`, () => {
          const decision = decide(request, facts, consents, NOW);
          assert.equal(decision.outcome, outcome, decision.rule);
          if (rule !== undefined) assert.equal(decision.rule, rule);
        });
      }
    });
  }

  it('refuses a now that is no instant', () => {
    assert.throws(() => decide(ask(), lab, [], 'today'), RangeError);
  });
});
