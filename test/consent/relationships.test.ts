import assert from 'node:assert/strict';

import { AFTERCARE_DAYS, Relationships } from '@salus/gateway/consent/relationships';
import { mayAskAtAll, type AccessRequest } from '@salus/chaincode/consent/decide';

import { campaign } from '../support/campaigns.js';
import { FhirServer } from '../support/fhir-server.js';
import { ask, by, consent, deny, NOW, permit, system, within } from './world.js';

const random = campaign('consent').random();
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
const RESTRICTED = { meta: { security: [{ system: system.confidentiality, code: 'R' }] } };
const NORMAL = { meta: { security: [{ system: system.confidentiality, code: 'N' }] } };
const user = (value: string) => ({ system: 'urn:salus:user', value });
const NURSE = { system: 'urn:salus:role', code: 'nurse' };
const daysAgo = (days: number): string => new Date(Date.parse(NOW) - days * 86_400_000).toISOString();

describe('who asks, before the custodian looked at its record', () => {
  const outcome = (request: AccessRequest, ...consents: Parameters<typeof mayAskAtAll>[1]): string =>
    mayAskAtAll(request, consents, NOW).outcome;
  const looked = { references: [], identifiers: [] };

  for (const [title, named] of [
    ['a team', by.literal('CareTeam/t')],
    ['a role held', by.literal('PractitionerRole/r')],
    ['a practitioner', by.literal('Practitioner/p')],
    ['an organization', by.literal('Organization/o')],
    ['an identifier of another system', by.identifier('77', 'urn:npi')],
  ] as const) {
    it(`may be ${title} that a permit names, and is not once the record says so`, () => {
      assert.equal(outcome(ask(), consent(permit(named))), 'permit');
      assert.equal(outcome(ask(looked), consent(permit(named))), 'deny');
    });
    it(`is not refused for a denial of ${title}, which may be another`, () => {
      const open = consent(permit(by.member('northside')));
      assert.equal(outcome(ask(), open, consent(deny(named))), 'permit');
    });
  }

  it('is not a user, a role or a member that it is not', () => {
    const others = [by.member('acme'), by.identifier('nurse', 'urn:salus:role'), by.identifier('x', 'urn:salus:user')];
    for (const other of others) assert.equal(outcome(ask(), consent(permit(other))), 'deny');
    const nurses = { actor: [{ ...by.literal('CareTeam/t').actor![0], role: { coding: [NURSE] } }] };
    assert.equal(outcome(ask(), consent(permit(nurses))), 'deny');
    assert.equal(outcome(ask({ role: 'nurse' }), consent(permit(nurses))), 'permit');
  });
});

describe('who asks, as the record of the custodian knows', () => {
  let server: FhirServer;
  let relationships: Relationships;

  beforeEach(() => {
    server = new FhirServer();
    relationships = new Relationships({ index: server.projection, now: () => NOW });
  });
  afterEach(() => server.close());

  async function kept(name: string, fields: object): Promise<void> {
    const [resourceType, id] = name.split('/');
    const body = { resourceType, id, ...fields };
    const answer = await server.ask(`PUT ${name}`, { body });
    assert.ok(answer.status < 300, JSON.stringify(answer.json));
  }

  const anyTeam = [consent(permit(by.literal('CareTeam/any')))];
  const standing = (request: AccessRequest): AccessRequest => relationships.standing(request, 'vip', anyTeam);

  async function flaggedPatient(): Promise<void> {
    await kept('Patient/vip', RESTRICTED);
  }

  const encounter = (fields: object): object => ({
    subject: { reference: 'Patient/vip' },
    class: { code: 'AMB' },
    participant: [{ individual: { reference: 'Practitioner/u-adams' } }],
    ...fields,
  });

  it('flags who is labelled restricted or very restricted, and nobody else', async () => {
    await kept('Patient/plain', NORMAL);
    assert.ok(!relationships.flagsAnybody);
    await flaggedPatient();
    assert.ok(relationships.flagsAnybody);
    assert.equal(standing(within()).flagged, true);
    assert.notEqual(relationships.standing(within(), 'plain', []).flagged, true);
    assert.notEqual(standing(ask()).flagged, true, 'between members the flag says nothing');
    await kept('Patient/vip', NORMAL);
    assert.notEqual(standing(within()).flagged, true);
  });

  const cares: readonly (readonly [string, boolean, object])[] = [
    ['is treating now', true, { status: 'in-progress' }],
    ['will treat', true, { status: 'planned' }],
    ['cancelled', false, { status: 'cancelled' }],
    ['was entered in error', false, { status: 'entered-in-error' }],
    ['treated lately', true, { status: 'finished', period: { end: daysAgo(AFTERCARE_DAYS) } }],
    ['treated one day too long ago', false, { status: 'finished', period: { end: daysAgo(AFTERCARE_DAYS + 1) } }],
    ['finished nobody knows when', false, { status: 'finished' }],
    [
      'is named by user id',
      true,
      { status: 'arrived', participant: [{ individual: { identifier: user('u-adams') } }] },
    ],
    [
      'takes no part',
      false,
      { status: 'arrived', participant: [{ individual: { reference: 'Practitioner/u-chan' } }] },
    ],
    ['treats somebody else', false, { status: 'arrived', subject: { reference: 'Patient/other' } }],
  ];
  for (const [title, expected, fields] of cares) {
    it(`${expected ? 'finds' : 'finds no'} relationship by an encounter: ${title}`, async () => {
      await flaggedPatient();
      await kept('Encounter/e', encounter(fields));
      assert.equal(standing(within()).careRelationship, expected);
    });
  }

  it('finds a relationship by a team, in a role of the person, and its end', async () => {
    await flaggedPatient();
    await kept('Practitioner/p', { identifier: [user('stmary/u-adams'), { system: 'urn:npi', value: '77' }] });
    await kept('PractitionerRole/r', { practitioner: { reference: 'Practitioner/p' } });
    const team = {
      status: 'active',
      subject: { reference: 'Patient/vip' },
      participant: [{ member: { reference: 'PractitionerRole/r' } }],
    };
    await kept('CareTeam/t', team);
    const known = standing(within());
    assert.equal(known.careRelationship, true);
    assert.deepEqual(known.references, ['Practitioner/u-adams', 'Practitioner/p', 'PractitionerRole/r', 'CareTeam/t']);
    assert.ok(known.identifiers?.some(({ value }) => value === '77'));
    assert.equal(standing(within({ user: 'u-chan' })).careRelationship, false);
    await kept('PractitionerRole/r', { practitioner: { reference: 'Practitioner/p' }, period: { end: '2026-02-28' } });
    assert.equal(standing(within()).careRelationship, false);
    await kept('PractitionerRole/r', { practitioner: { reference: 'Practitioner/p' }, period: { end: '2026-03-01' } });
    await kept('CareTeam/t', { ...team, status: 'inactive' });
    assert.equal(standing(within()).careRelationship, false);
  });

  it('knows a person of another member by member and user alone', async () => {
    await kept('Practitioner/u-baker', { identifier: [user('u-baker')] });
    await kept('Practitioner/b', { identifier: [user('northside/u-baker')] });
    await kept('Organization/n', { identifier: [{ system: 'urn:salus:member', value: 'northside' }] });
    assert.deepEqual(standing(ask()).references, ['Practitioner/b', 'Organization/n']);
    assert.deepEqual(standing(ask({ member: 'acme' })).references, []);
  });

  it('looks nothing up where no consent names anybody by the record', async () => {
    await kept('Practitioner/p', { identifier: [user('northside/u-baker')] });
    const plain = [consent(permit(by.member('northside'))), consent(deny(by.identifier('u', 'urn:salus:user')))];
    assert.deepEqual(relationships.standing(ask(), 'vip', plain).references, []);
    const literal = [consent(permit({ provision: [deny(by.literal('Practitioner/p'))] }))];
    assert.deepEqual(relationships.standing(ask(), 'vip', literal).references, ['Practitioner/p']);
    const foreign = [consent(permit(by.identifier('77', 'urn:npi')))];
    assert.deepEqual(relationships.standing(ask(), 'vip', foreign).references, ['Practitioner/p']);
  });

  it('agrees with a model of teams and encounters said in plain words', async () => {
    const persons = ['a', 'b', 'c', 'd'];
    const patients = ['one', 'two', 'three'];
    const cared = new Set<string>();
    for (const patient of patients) await kept(`Patient/${patient}`, RESTRICTED);
    for (let n = 0; n < 60; n += 1) {
      const [person, patient, isOpen, isTeam] = [pick(persons), pick(patients), random() < 0.2, random() < 0.5];
      const subject = { reference: `Patient/${patient}` };
      const reference = { reference: `Practitioner/${person}` };
      if (isTeam) {
        const period = { end: isOpen ? '2026-03-01T12:00:00Z' : '2026-03-01T11:59:59Z' };
        await kept(`CareTeam/${n}`, { status: 'active', subject, participant: [{ member: reference, period }] });
      } else {
        const status = isOpen ? 'onleave' : 'unknown';
        await kept(`Encounter/${n}`, { ...encounter({ status, subject }), participant: [{ individual: reference }] });
      }
      if (isOpen) cared.add(`${person}/${patient}`);
    }
    assert.ok(cared.size > 2 && cared.size < 12, `${cared.size} relationships`);
    for (const person of persons) {
      for (const patient of patients) {
        const { careRelationship } = relationships.standing(within({ user: person }), patient, []);
        assert.equal(careRelationship, cared.has(`${person}/${patient}`), `${person}/${patient}`);
      }
    }
  });
});
