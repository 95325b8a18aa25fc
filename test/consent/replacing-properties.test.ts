import assert from 'node:assert/strict';

import type { ConsentRecord } from '@salus/chaincode/consent/api';
import { record, type Standing } from '@salus/chaincode/dist/consent/rules.js';
import { Refusal } from '@salus/chaincode/dist/lib/refusal.js';
import { decide, replacedAmong, type ConsentInForce } from '@salus/chaincode/consent/decide';
import fc from 'fast-check';

import { campaign } from '../support/campaigns.js';
import { judge } from './model.js';
import { standing, type Said } from './replacing-model.js';
import { ask, by, deny, glucose, NOW, permit, resource } from './world.js';

const PID = '0'.repeat(64);
const IDS = ['a', 'b', 'c', 'd'];

const identifier = fc.oneof(
  fc.constantFrom('1', '2').map((value) => ({ system: 'urn:s', value })),
  fc.constantFrom({ system: 'urn:t', value: '1' }, { value: '1' }),
);
const rules = fc.constantFrom(
  permit(by.member('northside')),
  deny(by.member('northside')),
  deny({ provision: [permit({ ...by.member('northside'), ...by.type('Observation') })] }),
);
/** One thing said of one of few consents, so that they meet often. */
const said = fc.record({
  consentId: fc.constantFrom(...IDS),
  status: fc.constantFrom('active', 'active', 'active', 'draft', 'inactive', 'entered-in-error'),
  identifiers: fc.array(identifier, { maxLength: 2 }),
  named: fc.subarray(IDS, { maxLength: 1 }),
  provision: rules,
});
const history = fc.array(said, { minLength: 1, maxLength: 9 }).map((all) => all.map((_, at) => saidAt(all, at)));

type Thing = typeof said extends fc.Arbitrary<infer T> ? T : never;

function saidAt(all: readonly Thing[], at: number): Said & { readonly consent: ConsentInForce['care'] } {
  const { consentId, status, identifiers, named, provision } = all[at]!;
  const version = all.slice(0, at + 1).filter((each) => each.consentId === consentId).length;
  const names = named.filter((id) => id !== consentId).map((id) => ({ reference: `Consent/${id}` }));
  const consent = {
    ...{ resourceType: 'Consent' as const, id: consentId, status, provision },
    scope: { coding: [{ code: 'patient-privacy' }] },
    policyRule: { coding: [{ code: 'OPTOUT' }] },
    ...(identifiers.length > 0 && { identifier: identifiers }),
    ...(names.length > 0 && {
      extension: names.map((valueReference) => ({ url: 'urn:salus:replaces', valueReference })),
    }),
  };
  return { consentId, version, status, consent };
}

/** As the door has it: the newest of each that is active and was not replaced. */
function inForce(all: readonly ReturnType<typeof saidAt>[]): readonly ConsentInForce[] {
  const replaced = replacedAmong(all);
  const newest = new Map(all.map((each) => [each.consentId, each]));
  return [...newest.values()]
    .filter(({ consentId, status }) => status === 'active' && !replaced.has(consentId))
    .map(({ consentId, version, consent }) => ({ id: consentId, version, care: consent }));
}

function runs(slice: number): { numRuns: number; seed: number } {
  const whole = campaign('consent');
  return { numRuns: whole.size({ slice, full: 100_000 }), seed: whole.seed };
}

describe('what replaces what, over generated histories', () => {
  it('equals an independent model, as does what is decided on what stands', () => {
    let replacedOnes = 0;
    fc.assert(
      fc.property(history, (all) => {
        const stands = inForce(all);
        assert.deepEqual(stands.map(({ id }) => id).sort(), standing(all));
        const newest = standing(all).map((id) => all.findLast(({ consentId }) => consentId === id)!);
        const expected = newest.map(({ consentId, version, consent }) => ({ id: consentId, version, care: consent }));
        const raw = { ...glucose, meta: { security: [{ system: '', code: 'N' }] } };
        const record = { 'List/l': {}, 'CareTeam/t': { participant: [] }, isRestricted: false, treating: [] };
        const answer = judge({ request: ask(), resource: raw, record, now: NOW }, expected);
        assert.equal(decide(ask(), resource(glucose), stands, NOW).outcome, answer);
        replacedOnes += replacedAmong(all).size;
      }),
      runs(4_000),
    );
    assert.ok(replacedOnes > 500, `only ${replacedOnes} consents were replaced`);
  });

  it('is the same at the contract, of all that it takes', () => {
    let taken = 0;
    let refused = 0;
    fc.assert(
      fc.property(history, (all) => {
        const ledger = new Ledger();
        for (const each of all) ledger.say(each);
        taken += ledger.taken.length;
        refused += all.length - ledger.taken.length;
        assert.deepEqual([...ledger.inForce].sort(), standing(ledger.taken));
        assert.deepEqual(
          inForce(ledger.taken)
            .map(({ id }) => id)
            .sort(),
          standing(ledger.taken),
        );
      }),
      runs(2_000),
    );
    assert.ok(taken > 1_000 && refused > 1_000, `${taken} taken, ${refused} refused`);
  });
});

/** The contract's rule over what it took so far, as its own staff brings it. */
class Ledger {
  readonly taken: ReturnType<typeof saidAt>[] = [];
  readonly #records = new Map<string, ConsentRecord>();
  #list: Standing['list'];

  get inForce(): readonly string[] {
    return (this.#list?.inForce ?? []).map(({ consentId }) => consentId);
  }

  say({ consentId, consent, status }: ReturnType<typeof saidAt>): void {
    const previous = this.#records.get(consentId);
    const version = (previous?.version ?? 0) + 1;
    const request = { pid: PID, consentId, version, consent: consent as never, salt: PID };
    const others = this.inForce.filter((id) => id !== consentId).map((id) => this.#records.get(id)!);
    const replaces = previous === undefined ? {} : { replaces: previous.version };
    const recorded = record(
      { ...request, ...replaces },
      {
        ...{ channel: 'health', now: NOW, keys: [], clock: undefined, isKnown: false, earlierKeys: [] },
        submitter: { member: 'stmary', user: 'u-adams', role: 'physician' },
        patient: { pid: PID, custodians: { stmary: { patientId: '1' } } } as never,
        ...{ previous, list: this.#list, others },
      },
    );
    if (recorded instanceof Refusal) return;
    this.#list = recorded.list;
    this.#records.set(consentId, recorded.record);
    this.taken.push({ consentId, version, status, consent });
  }
}
