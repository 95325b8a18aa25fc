import assert from 'node:assert/strict';

import {
  careForm,
  joinCareForm,
  MAX_PROVISIONS,
  validateConsent,
  type Provision,
} from '@salus/chaincode/consent/decide';

import { by, consent, deny, permit } from './world.js';

const problems = (provision: Provision, change: object = {}): string[] =>
  validateConsent({ ...consent(provision, change).care }).map(({ path }) => path);

describe('a consent is refused', () => {
  it('never when it can be decided on', () => {
    const full = deny({
      period: { start: '2026', end: '2027-01-31' },
      provision: [
        permit({ ...by.member('northside'), ...by.purpose('TREAT'), ...by.type('Observation'), ...by.level('N') }),
        deny({ ...by.literal('CareTeam/t'), ...by.action('access'), ...by.data('authoredby', 'Practitioner/x') }),
      ],
    });
    assert.deepEqual(problems(full), []);
  });

  it('without policy', () => {
    assert.deepEqual(problems(permit(), { policyRule: undefined }), ['policyRule']);
    assert.deepEqual(problems(permit(), { policyRule: { coding: [] }, policy: [{}] }), ['policyRule']);
    assert.deepEqual(problems(permit(), { policyRule: undefined, policy: [{ uri: 'urn:x' }] }), []);
  });

  it('with a nested rule without type, or another type', () => {
    assert.deepEqual(problems({ provision: [{}] }), ['provision.provision[0].type']);
    assert.deepEqual(problems({ type: 'maybe' }), ['provision.type']);
  });

  it('with an unknown form of actor', () => {
    assert.deepEqual(problems(permit({ actor: [{}] })), ['provision.actor[0]']);
    assert.deepEqual(problems(permit({ actor: [{ role: { coding: [{ code: 'IRCP' }] } }] })), ['provision.actor[0]']);
    assert.deepEqual(problems(permit(by.literal('https://elsewhere.example/Practitioner/1'))), ['provision.actor[0]']);
    assert.deepEqual(problems(permit(by.identifier('', 'urn:salus:member'))), ['provision.actor[0]']);
  });

  it('with a dimension that could only be ignored', () => {
    assert.deepEqual(problems(permit(by.action('sell'))), ['provision.action[0]']);
    assert.deepEqual(problems(permit({ class: [{ system: 'urn:ietf:bcp:13', code: 'text/plain' }] })), [
      'provision.class[0]',
    ]);
    assert.deepEqual(problems(permit({ code: [{}] })), ['provision.code[0]']);
    assert.deepEqual(problems(permit({ purpose: [{}] })), ['provision.purpose[0]']);
    assert.deepEqual(problems(permit({ securityLabel: [{ code: 'R' }] })), ['provision.securityLabel[0]']);
    assert.deepEqual(problems(permit({ data: [{ meaning: 'nearby' }] })), [
      'provision.data[0].meaning',
      'provision.data[0].reference',
    ]);
    assert.deepEqual(problems(permit({ modifierExtension: [] } as Provision)), ['provision.modifierExtension']);
  });

  it('with a word that would be heard by nobody', () => {
    assert.deepEqual(problems(deny(by.purpose('treatment'))), ['provision.purpose[0]']);
    for (const reference of ['https://a.example/Observation/1', 'Observation/1/_history/2', '#o', 'urn:uuid:1']) {
      assert.deepEqual(problems(deny(by.data('instance', reference))), ['provision.data[0].reference']);
    }
    const policyRule = { coding: [{ code: 'optout' }] };
    assert.deepEqual(problems({}, { policyRule }), ['policyRule']);
    assert.deepEqual(problems(deny(), { policyRule }), []);
  });

  it('never for what it says once it has ended', () => {
    for (const status of ['inactive', 'rejected', 'entered-in-error']) {
      assert.deepEqual(problems(deny(by.purpose('treatment')), { status }), []);
    }
  });

  it('with a period that is none', () => {
    assert.deepEqual(problems(permit({ period: { start: '2026-02-30' } })), ['provision.period']);
    assert.deepEqual(problems(permit({ dataPeriod: { start: '2027', end: '2026' } })), ['provision.dataPeriod']);
  });

  it('with a status or a scope that is not decided on', () => {
    assert.deepEqual(problems(permit(), { status: 'on' }), ['status']);
    assert.deepEqual(problems(permit(), { scope: { coding: [{ code: 'treatment' }] } }), ['scope']);
  });

  it(`with more than ${MAX_PROVISIONS} provisions`, () => {
    const rules = (count: number): Provision => deny({ provision: Array.from({ length: count - 1 }, () => permit()) });
    assert.deepEqual(problems(rules(MAX_PROVISIONS)), []);
    assert.deepEqual(problems(rules(MAX_PROVISIONS + 1)), ['provision']);
  });

  it('with free text in its care form', () => {
    const spoken = { text: { status: 'generated', div: '<div/>' }, category: [{ text: 'x' }] };
    assert.deepEqual(problems(permit(), spoken), ['text', 'category']);
  });
});

describe('the care form', () => {
  const whole = {
    resourceType: 'Consent',
    status: 'active',
    text: { status: 'generated', div: '<div>Ann</div>' },
    contained: [{ resourceType: 'Organization', id: 'o', name: 'secret clinic' }],
    extension: [
      { url: 'urn:a', valueString: 'told me at home' },
      { url: 'urn:salus:replaces', valueReference: { reference: 'Consent/1', display: 'the old one' } },
      { url: 'urn:b', valueMarkdown: '*why*' },
    ],
    scope: { coding: [{ code: 'patient-privacy', display: 'Privacy' }], text: 'privacy' },
    category: [{ text: 'only words' }, { coding: [{ system: 'http://loinc.org', code: '59284-0' }] }, { text: 'more' }],
    patient: { reference: 'Patient/p1', display: 'Ann Example' },
    sourceAttachment: { contentType: 'application/pdf', data: 'AAAA' },
    policyRule: { coding: [{ code: 'OPTIN' }] },
    provision: { type: 'permit', actor: [{ reference: { display: 'Dr Chan', identifier: { value: 'northside' } } }] },
  };

  it('holds no free text', () => {
    const { care } = careForm(whole);
    assert.doesNotMatch(JSON.stringify(care), /Ann|secret|home|why|words|more|Privacy|Chan|AAAA|old one/);
    assert.deepEqual(care, {
      resourceType: 'Consent',
      status: 'active',
      extension: [{ url: 'urn:salus:replaces', valueReference: { reference: 'Consent/1' } }],
      scope: { coding: [{ code: 'patient-privacy' }] },
      category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
      patient: { reference: 'Patient/p1' },
      policyRule: { coding: [{ code: 'OPTIN' }] },
      provision: { type: 'permit', actor: [{ reference: { identifier: { value: 'northside' } } }] },
    });
  });

  it('and its rest give the whole again', () => {
    const { care, rest } = careForm(whole);
    assert.deepEqual(joinCareForm(care, rest), whole);
  });

  it('of a care form is itself, with nothing left over', () => {
    const { care } = careForm(whole);
    assert.deepEqual(careForm({ ...care }), { care, rest: [] });
  });
});
