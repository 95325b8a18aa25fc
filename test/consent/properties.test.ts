import assert from 'node:assert/strict';

import {
  decide,
  factsOf,
  mayAskAtAll,
  onlyPermits,
  type ConsentInForce,
  type Provision,
} from '@salus/chaincode/consent/decide';
import fc from 'fast-check';

import { campaign } from '../support/campaigns.js';
import { binds, judge, type RawRecord, type RawResource } from './model.js';
import { NOW, system } from './world.js';

/** Few words, so that rules and requests meet often. */
const one = <T>(...values: readonly T[]) => fc.constantFrom(...values);
const some = <T>(item: fc.Arbitrary<T>) => fc.array(item, { minLength: 1, maxLength: 2 });
const member = one('stmary', 'northside', 'acme');
const user = one('u-baker', 'u-chan');
const person = one('u-baker', 'u-chan', 'northside/u-baker', 'acme/u-baker');
const role = one('physician', 'biller');
const purpose = one('TREAT', 'ETREAT', 'HPAYMT', 'HRESCH', 'CLINTRCH', 'BTG');
const types = one('Observation', 'Condition', 'DocumentReference', 'Patient');
const codes = one('laboratory', 'vital-signs', 'x');
const day = one('2025-01-01', '2025-06-01', '2026-01-01', '2026-03-01', '2026-06-01');
const level = one('N', 'R', 'V').map((code) => ({ system: system.confidentiality, code }));
const kind = one('PSY', 'ETH', 'OPIOIDUD').map((code) => ({ system: system.sensitivity, code }));
const binding = fc.constant({ system: system.sensitivity, code: 'NORDSCLCD' });
const period = fc
  .tuple(day, day)
  .chain(([a, b]) => one({ start: a < b ? a : b, end: a < b ? b : a }, { start: a }, { end: b }));

const identifier = fc.oneof(
  member.map((value) => ({ value })),
  member.map((value) => ({ system: 'urn:salus:member', value })),
  person.map((value) => ({ system: 'urn:salus:user', value })),
  role.map((value) => ({ system: 'urn:salus:role', value })),
);
const party = fc.oneof(
  { weight: 4, arbitrary: identifier.map((value) => ({ reference: { identifier: value } })) },
  { weight: 1, arbitrary: fc.constant({ reference: { reference: 'CareTeam/t' } }) },
);
const datum = fc.record({
  meaning: one('instance', 'dependents', 'authoredby', 'related'),
  reference: one('Observation/1', 'Encounter/e', 'Practitioner/p', 'List/l').map((reference) => ({ reference })),
});
const dimensions = {
  period,
  actor: some(party),
  action: some(one('access', 'correct').map((code) => ({ coding: [{ code }] }))),
  securityLabel: some(fc.oneof(level, kind, binding)),
  purpose: some(purpose.map((code) => ({ code }))),
  class: some(types.map((code) => ({ code }))),
  code: some(codes.map((code) => ({ coding: [{ code }] }))),
  dataPeriod: period,
  data: some(datum),
};

/** A provision with at most two dimensions, so that it matches now and then. */
const bare = fc
  .subarray(Object.keys(dimensions) as (keyof typeof dimensions)[], { maxLength: 2 })
  .chain(
    (names) =>
      fc.record(
        Object.fromEntries(names.map((name) => [name, dimensions[name]])),
      ) as unknown as fc.Arbitrary<Provision>,
  );
const rule = (depth: number): fc.Arbitrary<Provision> =>
  fc
    .tuple(bare, one('permit', 'deny'), depth === 0 ? fc.constant([]) : fc.array(rule(depth - 1), { maxLength: 3 }))
    .map(([own, type, provision]) => ({ ...own, type, ...(provision.length > 0 ? { provision } : {}) }));
const root = fc
  .tuple(rule(3), fc.boolean())
  .map(([whole, typed]): Provision =>
    typed ? whole : Object.fromEntries(Object.entries(whole).filter(([name]) => name !== 'type')),
  );

const consent = fc
  .tuple(root, one('active', 'active', 'active', 'draft'), one('OPTIN', 'OPTOUT', 'house'))
  .map(([provision, status, policy], index = 0): ConsentInForce => ({
    id: `c${index}`,
    version: 1,
    care: {
      resourceType: 'Consent',
      status,
      scope: { coding: [{ code: 'patient-privacy' }] },
      policyRule: { coding: [{ code: policy }] },
      provision,
    },
  }));
const consents = fc.array(consent, { maxLength: 3 });

const request = fc.record({
  custodian: fc.constant('stmary'),
  member,
  user,
  role,
  purpose,
  action: fc.constant('access' as const),
});
/** Who treats, who is in the team: of the custodian and of others. */
const persons = fc.subarray(['stmary/u-baker', 'stmary/u-chan', 'northside/u-baker', 'acme/u-chan']);
const record: fc.Arbitrary<RawRecord> = fc
  .record({
    listed: fc.subarray(['Observation/1', 'Condition/1', 'Observation/2']),
    participant: persons,
    isRestricted: one(false, false, true),
    treating: persons,
  })
  .map(({ listed, participant, ...rest }) => ({
    'List/l': { resourceType: 'List', entry: listed.map((reference) => ({ item: { reference } })) },
    'CareTeam/t': { participant },
    ...rest,
  }));
const raws: fc.Arbitrary<RawResource> = fc
  .tuple(
    types,
    fc.array(fc.oneof(level, kind), { maxLength: 2 }),
    fc.option(codes, { nil: undefined }),
    fc.option(day, { nil: undefined }),
    fc.boolean(),
  )
  .map(([resourceType, security, code, when, linked]) => ({
    resourceType,
    id: '1',
    meta: { security },
    ...(code === undefined ? {} : { category: [{ coding: [{ system: 'urn:codes', code }] }] }),
    ...(when === undefined ? {} : { effectiveDateTime: when }),
    ...(linked ? { encounter: { reference: 'Encounter/e' }, performer: [{ reference: 'Practitioner/p' }] } : {}),
  }));

/** A resource and what else lies in the record. */
const resource = fc.record({ resource: raws, record });

type Asked = Parameters<typeof decide>[0];
interface Raw {
  readonly resource: RawResource;
  readonly record: RawRecord;
}

const decided = (asked: Asked, raw: Raw, all: readonly ConsentInForce[]) => {
  const facts = factsOf({ ...raw.resource }, referrers(raw));
  return decide(standing(asked, raw.record), facts, all, NOW);
};
const permits = (asked: Asked, raw: Raw, all: readonly ConsentInForce[]): boolean =>
  decided(asked, raw, all).outcome === 'permit';

function referrers({ resource: { resourceType, id }, record: { 'List/l': list } }: Raw): string[] {
  return factsOf({ ...list }).references.includes(`${resourceType}/${id}`) ? ['List/l'] : [];
}

/** What the custodian's record says of who asks. */
function standing(asked: Asked, { 'CareTeam/t': team, isRestricted, treating }: RawRecord): Asked {
  const person = `${asked.member}/${asked.user}`;
  const isMember = team.participant.includes(person);
  return {
    ...asked,
    references: isMember ? ['CareTeam/t'] : [],
    identifiers: [],
    flagged: isRestricted,
    careRelationship: isMember || treating.includes(person),
  };
}

/** Every consent list that differs by one permit without rules below it. */
function* withoutOnePermit(all: readonly ConsentInForce[]): Generator<readonly ConsentInForce[]> {
  for (const [index, { care }] of all.entries()) {
    const others = all.filter((_, place) => place !== index);
    if (care.provision?.type === 'permit' && !care.provision.provision) yield others;
    for (const provision of care.provision ? prunings(care.provision) : [])
      yield all.with(index, { ...all[index]!, care: { ...care, provision } });
  }
}

function* prunings(from: Provision): Generator<Provision> {
  const nested = from.provision ?? [];
  for (const [index, below] of nested.entries()) {
    if (below.type === 'permit' && !below.provision) yield { ...from, provision: nested.toSpliced(index, 1) };
    for (const pruned of prunings(below)) yield { ...from, provision: nested.with(index, pruned) };
  }
}

function* additions(to: Provision, denial: Provision): Generator<Provision> {
  const nested = to.provision ?? [];
  yield { ...to, provision: [...nested, denial] };
  for (const [index, below] of nested.entries())
    for (const grown of additions(below, denial)) yield { ...to, provision: nested.with(index, grown) };
}

/** A seeded slice, or the whole campaign. */
function runs(slice: number): { numRuns: number; seed: number } {
  const whole = campaign('consent');
  return { numRuns: whole.size({ slice, full: 100_000 }), seed: whole.seed };
}

describe('decide, over generated worlds', () => {
  it('equals an independent model', () => {
    let permitted = 0;
    fc.assert(
      fc.property(request, resource, consents, (asked, raw, all) => {
        const answer = permits(asked, raw, all);
        permitted += Number(answer);
        assert.equal(answer ? 'permit' : 'deny', judge({ request: asked, ...raw, now: NOW }, all));
      }),
      runs(4_000),
    );
    assert.ok(permitted > 100, `only ${permitted} worlds permitted anything`);
  });

  it('obliges to what the same model does, whatever the order of the consents', () => {
    let bound = 0;
    fc.assert(
      fc.property(request, resource, consents, (asked, raw, all) => {
        if (!permits(asked, raw, all)) return;
        const expected = binds({ request: asked, ...raw, now: NOW }, all);
        for (const list of [all, [...all].reverse()]) {
          const { obligations } = decided(asked, raw, list);
          assert.equal(
            obligations.some(({ kind: what }) => what === 'no-redisclosure'),
            expected,
          );
        }
        bound += Number(expected);
      }),
      runs(8_000),
    );
    assert.ok(bound > 50, `only ${bound} worlds obliged to anything`);
  });

  it('never shows more when a permit is removed', () => {
    fc.assert(
      fc.property(request, resource, consents, (asked, raw, all) => {
        if (permits(asked, raw, all)) return;
        for (const fewer of withoutOnePermit(all)) assert.ok(!permits(asked, raw, fewer));
      }),
      runs(1_500),
    );
  });

  it('never shows more when a consent ends that only permits', () => {
    let ended = 0;
    fc.assert(
      fc.property(request, resource, consents, (asked, raw, all) => {
        if (permits(asked, raw, all)) return;
        for (const [index, { care }] of all.entries()) {
          if (!onlyPermits(care)) continue;
          ended += 1;
          assert.ok(!permits(asked, raw, all.toSpliced(index, 1)));
        }
      }),
      runs(4_000),
    );
    assert.ok(ended > 100, `only ${ended} consents ended`);
  });

  it('never shows more when a denial is added', () => {
    fc.assert(
      fc.property(request, resource, consents, rule(0), (asked, raw, all, extra) => {
        if (permits(asked, raw, all)) return;
        const denial = { ...extra, type: 'deny' };
        for (const [index, { care }] of all.entries())
          for (const provision of additions(care.provision ?? {}, denial))
            assert.ok(!permits(asked, raw, all.with(index, { ...all[index]!, care: { ...care, provision } })));
      }),
      runs(1_500),
    );
  });

  it('is never asked in vain: what it permits, mayAskAtAll permits', () => {
    fc.assert(
      fc.property(request, resource, consents, (asked, raw, all) => {
        if (permits(asked, raw, all)) assert.equal(mayAskAtAll(asked, all, NOW).outcome, 'permit');
      }),
      runs(2_000),
    );
  });
});
