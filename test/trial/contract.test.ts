import assert from 'node:assert/strict';
import { type Allotted, rootOf } from '@salus/chaincode/trial/api';
import { listOf, outcomes, parties, protocol, sites, TRIAL, TrialWorld } from './world.js';
import { random } from '../support/contract-world.js';
import { SigningKey } from '../support/signing.js';

const switched = protocol({
  outcomes: [{ ...outcomes[0]!, role: 'secondary' }, { ...outcomes[1]!, role: 'primary' }, outcomes[2]!],
});

describe('trial on the ledger', () => {
  it('registers by the sponsor alone, with parties that do not mix, once', async () => {
    const world = await TrialWorld.founded();
    const request = { parties, protocol: protocol() };
    await world.refused('not-your-role', 'acme', 'investigator', 'register', request);
    await world.refused('not-a-party', 'stmary', 'sponsor', 'register', request);
    const mixed = { parties: { ...parties, allocator: 'acme' }, protocol: protocol() };
    await world.refused('parties-mixed', 'acme', 'sponsor', 'register', mixed);
    const double = { parties, protocol: protocol({ outcomes: [outcomes[0]!, outcomes[0]!] }) };
    await world.refused('duplicate-item', 'acme', 'sponsor', 'register', double);
    const registered = await world.act('acme', 'sponsor', 'register', request);
    assert.equal(registered.rwset.event?.name, 'trial:version-registered');
    await world.refused('not-now', 'acme', 'sponsor', 'register', request);
    await world.refused('unknown-trial', 'acme', 'sponsor', 'register-version', {
      ...{ trial: 'TRIAL-2', version: 2, previous: random(), protocol: protocol() },
    });
  });

  it('puts a version in force only with every approval and every list', async () => {
    const world = await TrialWorld.founded();
    await world.act('acme', 'sponsor', 'register', { parties, protocol: protocol() });
    const [verb, approval] = await world.approvalOf(1, 'authority', 'ethics');
    await world.refused('unknown-version', 'authority', 'ethics', verb, { ...approval, hash: random() });
    await world.refused('not-approved', 'acme', 'sponsor', 'activate-version', { version: 1 });
    await world.act('authority', 'ethics', verb, approval);
    await world.refused('already-approved', 'authority', 'ethics', verb, approval);
    await world.refused('not-approved', 'acme', 'sponsor', 'activate-version', { version: 1 });
    await world.act('authority', 'regulator', ...(await world.approvalOf(1, 'authority', 'regulator')));
    // What the sponsor did not sign is in nobody's name.
    await world.refused('not-approved', 'acme', 'sponsor', 'activate-version', { version: 1 });
    await world.act('acme', 'sponsor', ...(await world.approvalOf(1, 'acme', 'sponsor')));
    await world.refused('list-missing', 'acme', 'sponsor', 'activate-version', { version: 1 });
    await world.refused('unknown-version', 'acme', 'sponsor', 'activate-version', { version: 2 });
    const list = { stratum: 's1', root: random(), kits: ['K1', 'K2'] };
    await world.refused('not-your-role', 'acme', 'sponsor', 'commit-list', list);
    await world.refused('unknown-stratum', 'tally', 'statistician', 'commit-list', { ...list, stratum: 's9' });
    await world.refused('duplicate-item', 'tally', 'statistician', 'commit-list', { ...list, kits: ['K1', 'K1'] });
    await world.act('tally', 'statistician', 'commit-list', list);
    await world.refused('list-exists', 'tally', 'statistician', 'commit-list', { ...list, root: random() });
    await world.refused('list-missing', 'acme', 'sponsor', 'activate-version', { version: 1 });
  });

  it('catches an outcome switch: flagged for ever against first enrolment, refused without reason or approval', async () => {
    const world = await TrialWorld.enrolling();
    await world.enrolled('P1', 'stmary', 's1', 1);
    const { hash } = await world.newest();
    const amendment = { version: 2, previous: hash, protocol: switched };
    await world.refused('amendment-without-reason', 'acme', 'sponsor', 'register-version', amendment);
    await world.refused('version-out-of-line', 'acme', 'sponsor', 'register-version', {
      ...amendment,
      previous: random(),
    });
    await world.act('acme', 'sponsor', 'register-version', { ...amendment, reason: 'recruitment is slow' });
    await world.refused('not-approved', 'acme', 'sponsor', 'activate-version', { version: 2 });
    const second = await world.newest();
    assert.equal(second.flags.length, 1);
    assert.equal(second.flags[0]?.milestone, 'first-enrolment');
    const kinds = second.flags[0].changes.map(({ kind, outcome }) => `${kind} ${outcome}`);
    assert.deepEqual(kinds, ['demoted o1', 'promoted o2']);
    await world.activated(2);
    // Against first enrolment, not against the latest: a third version that repeats the second is flagged again.
    const third = { version: 3, previous: second.hash, protocol: { ...switched, title: 'Renamed' }, reason: 'name' };
    await world.act('acme', 'sponsor', 'register-version', third);
    assert.deepEqual((await world.newest()).flags, second.flags);
    const moreArms = protocol({ allocation: { ...protocol().allocation, strata: ['s1'] } });
    const redesign = { version: 4, previous: (await world.newest()).hash, protocol: moreArms, reason: 'fewer strata' };
    await world.refused('design-frozen', 'acme', 'sponsor', 'register-version', redesign);
  });

  it('freezes outcomes at unblinding and judges results by those at first enrolment', async () => {
    const world = await TrialWorld.enrolling();
    await world.enrolled('P1', 'stmary', 's1', 1);
    const slots = world.lists.get('s1')!;
    await world.refused('not-now', 'tally', 'statistician', 'reveal', { stratum: 's1', slots });
    await world.refused('not-now', 'acme', 'sponsor', 'post-results', {
      ...{ publication: random(), published: '2026-11-01T00:00:00.000Z', outcomes },
    });
    await world.locked();
    const forged = slots.map((slot, index) => (index === 0 ? { ...slot, arm: slot.arm === 'A' ? 'B' : 'A' } : slot));
    await world.refused('reveal-mismatch', 'tally', 'statistician', 'reveal', { stratum: 's1', slots: forged });
    const nonces = slots.map((slot, index) => (index === 0 ? { ...slot, nonce: random() } : slot));
    await world.refused('reveal-mismatch', 'tally', 'statistician', 'reveal', { stratum: 's1', slots: nonces });
    await world.refused('reveal-mismatch', 'tally', 'statistician', 'reveal', { stratum: 's1', slots: slots.slice(1) });
    await world.act('tally', 'statistician', 'reveal', { stratum: 's1', slots });
    await world.refused('already-revealed', 'tally', 'statistician', 'reveal', { stratum: 's1', slots });
    const { hash } = await world.newest();
    const late = { version: 2, previous: hash, protocol: switched, reason: 'better so' };
    await world.refused('outcomes-frozen', 'acme', 'sponsor', 'register-version', late);
    const reported = [
      { ...outcomes[1]!, role: 'primary' },
      { ...outcomes[2]!, id: 'x' },
    ];
    const paper = { publication: random(), published: '2026-11-01T00:00:00.000Z', outcomes: reported };
    await world.act('acme', 'sponsor', 'post-results', paper);
    await world.refused('already-posted', 'acme', 'sponsor', 'post-results', paper);
    const [results] = (await world.view()).results;
    assert.deepEqual(
      results?.findings.map(({ finding, outcome }) => `${finding} ${outcome}`),
      ['not-reported o1', 'changed o2', 'novel-silent x'],
    );
  });

  it('puts nothing in force after unblinding that changes an outcome, whenever it was registered and approved', async () => {
    const world = await TrialWorld.enrolling();
    await world.enrolled('P1', 'stmary', 's1', 1);
    const { hash } = await world.newest();
    const early = { version: 2, previous: hash, protocol: switched, reason: 'in good time' };
    await world.act('acme', 'sponsor', 'register-version', early);
    await world.approved(2);
    await world.locked();
    for (const [stratum, slots] of world.lists) {
      await world.act('tally', 'statistician', 'reveal', { stratum, slots });
    }
    await world.refused('outcomes-frozen', 'acme', 'sponsor', 'activate-version', { version: 2 });
  });

  it('puts nothing in force whose change of an outcome is not flagged, for enrolment began since', async () => {
    const world = await TrialWorld.enrolling();
    const { hash } = await world.newest();
    const quiet = { version: 2, previous: hash, protocol: switched, reason: 'before anybody is enrolled' };
    await world.act('acme', 'sponsor', 'register-version', quiet);
    assert.deepEqual((await world.newest()).flags, []);
    await world.enrolled('P1', 'stmary', 's1', 1);
    await world.refused('flags-outdated', 'acme', 'sponsor', 'activate-version', { version: 2 });
    const again = { ...quiet, version: 3, previous: (await world.newest()).hash };
    await world.act('acme', 'sponsor', 'register-version', again);
    await world.activated(3);
    assert.equal((await world.newest()).flags.length, 1);
  });

  it('keeps to the deadline for a new consent, whatever documents come after it', async () => {
    const world = await TrialWorld.enrolling();
    await world.enrolled('P1', 'stmary', 's1', 1);
    const entry = { participant: 'P1', n: 1, act: 'enter', commitment: random(), consent: 1 };
    await world.document(2, new Date(world.ledger.clockMs + 60_000).toISOString());
    await world.document(3);
    await world.point('stmary', 'coordinator', { ...entry, form: 'labs' });
    await world.ledger.pass(90_000, 'northside');
    const late = await world.pointOf('stmary', 'coordinator', entry);
    await world.refused('consent-superseded', 'stmary', 'coordinator', 'point', late);
    await world.document(4, new Date(world.ledger.clockMs + 86_400_000).toISOString());
    await world.refused('consent-superseded', 'stmary', 'coordinator', 'point', late);
  });

  it('tells one arm, at the allocator alone, for the key that the one person on record signed', async () => {
    const world = await TrialWorld.enrolling();
    await world.enrolled('P1', 'stmary', 's1', 1);
    const [person, other] = [await world.delegate('stmary', 'investigator'), new SigningKey('other')];
    const place = { stratum: 's1', slot: 1 };
    const wish = (by: SigningKey, change: object = {}, to = other.jwk) => {
      const content = { channel: 'health', trial: TRIAL, ...place, meaning: 'tell-arm', to };
      return { ...place, to: other.jwk, statement: by.sign({ ...content, ...change }) };
    };
    await world.refused('not-unblinded', 'tally', 'cro', 'tell-arm', wish(person));
    await world.act('stmary', 'investigator', 'unblind-one', { ...place, reason: 'overdose', delegate: person.kid });
    await world.refused('not-a-party', 'acme', 'sponsor', 'tell-arm', wish(person));
    await world.refused('not-a-party', 'stmary', 'investigator', 'tell-arm', wish(person));
    await world.refused('signature-invalid', 'tally', 'cro', 'tell-arm', wish(other));
    await world.refused('signature-invalid', 'tally', 'cro', 'tell-arm', wish(person, { slot: 2 }));
    await world.refused('signature-invalid', 'tally', 'cro', 'tell-arm', wish(person, {}, person.jwk));
    await world.refused('not-unblinded', 'tally', 'cro', 'tell-arm', { ...wish(person), slot: 2 });
    const call = world.call('cro', { trial: TRIAL, ...wish(person) });
    const { arm, kit } = world.lists.get('s1')![0]!;
    const told = await world.ledger.evaluate('tally', 'trial:tell-arm', call);
    assert.deepEqual(JSON.parse(told.payload), { arm, kit, site: 'stmary' });
    await world.act('stmary', 'investigator', 'end-delegation', { kid: person.kid });
    await world.refused('not-delegated', 'tally', 'cro', 'tell-arm', wish(person));
  });

  it('keeps every list in clear before a version comes into force: of arms that the protocol names, each kit on one', async () => {
    const world = await TrialWorld.founded();
    await world.act('acme', 'sponsor', 'register', { parties, protocol: protocol() });
    const commit = async (stratum: string, slots: readonly Allotted[]): Promise<void> => {
      const kits = slots.map(({ kit }) => kit);
      const request = { stratum, root: rootOf(TRIAL, stratum, slots), kits };
      await world.act('tally', 'statistician', 'commit-list', request);
      const { hash } = (await world.view()).lists.find((each) => each.stratum === stratum)!;
      await world.approvedList(stratum, hash);
    };
    const keep = (stratum: string, slots: readonly Allotted[]) =>
      world.hidden('statistician', { stratum, slots, salt: random() });
    const [first, strange] = [listOf('s1', 4), listOf('s2', 4, ['A', 'C'])];
    await commit('s1', first);
    const twice = { stratum: 's2', root: random(), kits: ['K-NEW', first[2]!.kit] };
    await world.refused('kit-on-list', 'tally', 'statistician', 'commit-list', twice);
    await commit('s2', strange);
    await world.ledger.refused('unknown-arm', 'tally', 'trial:keep-arms', keep('s2', strange));
    await world.approved(1);
    await world.ledger.submit('tally', 'trial:keep-arms', keep('s1', first));
    await world.refused('arms-missing', 'acme', 'sponsor', 'activate-version', { version: 1 });
  });

  it('puts no other arms or strata in force than those that lists were committed to', async () => {
    const world = await TrialWorld.founded();
    await world.registered();
    const { allocation } = protocol();
    const wider = protocol({
      allocation: { ...allocation, arms: [...allocation.arms, { code: 'C', label: 'c', ratio: 1 }] },
    });
    const { hash: previous } = await world.newest();
    await world.act('acme', 'sponsor', 'register-version', { version: 2, previous, protocol: wider });
    await world.approved(2);
    await world.refused('design-frozen', 'acme', 'sponsor', 'activate-version', { version: 2 });
  });

  it('locks what is there, all of it, and nothing while a query is open', async () => {
    const world = await TrialWorld.enrolling();
    for (const [index, site] of sites.entries()) await world.enrolled(`P${index}`, site, 's1', index + 1);
    const about = { participant: 'P1', n: 1, act: 'enter', commitment: random(), consent: 1 };
    await world.point('northside', 'coordinator', about);
    await world.point('northside', 'coordinator', { ...about, form: 'labs' });
    await world.point('acme', 'sponsor', { participant: 'P1', n: 2, act: 'propose', query: 'q1' });
    const lock = (points: number) => world.lockOf({ root: random(), points, acts: 4 });
    await world.refused('query-open', 'tally', 'cro', 'lock', await lock(2));
    await world.point('northside', 'coordinator', { participant: 'P1', n: 3, act: 'answer', query: 'q1' });
    await world.refused('point-count', 'tally', 'cro', 'lock', await lock(1));
    await world.locked();
    const { points, root } = (await world.view()).milestones.find(({ name }) => name === 'lock')!;
    assert.equal(points, 2);
    assert.match(String(root), /^[0-9a-f]{64}$/);
  });

  it('takes reports of who consented, enrolled or not, and of nobody else', async () => {
    const world = await TrialWorld.enrolling();
    await world.act('stmary', 'investigator', 'consent', await world.consentOf('P1', 'stmary'));
    const began = world.ledger.clockMs;
    await world.ledger.comePast(began);
    const harm = { isSerious: true, isFatal: false, severity: 'severe', causality: 'unrelated' };
    const event = { event: 'E1', n: 1, participant: 'P1', commitment: random(), ...harm };
    const report = { ...event, awareAt: new Date(began).toISOString() };
    await world.refused('no-consent', 'stmary', 'investigator', 'report-event', { ...report, participant: 'P2' });
    await world.refused('not-your-participant', 'northside', 'investigator', 'report-event', report);
    await world.refused('invalid-request', 'stmary', 'investigator', 'report-event', { ...report, severity: 'bad' });
    const told = await world.act('stmary', 'investigator', 'report-event', report);
    assert.equal(told.rwset.event?.name, 'trial:safety-reported');
    assert.equal((await world.view()).events[0]?.severity, 'severe');
  });

  it('tells by events what concerns others, no arm in them, and keeps claims where hospitals alone read them', async () => {
    const world = await TrialWorld.enrolling();
    await world.enrolled('P1', 'stmary', 's1', 1);
    const { kid } = await world.delegate('stmary', 'investigator');
    const unblind = { stratum: 's1', slot: 1, reason: 'overdose', delegate: kid };
    const asked = await world.act('stmary', 'investigator', 'unblind-one', unblind);
    assert.equal(asked.rwset.event?.name, 'trial:unblinding-asked');
    assert.ok(!asked.inClear.includes('"arm"'));
    const halted = await world.act('tally', 'board', 'halt', await world.boardAct('halt', 'signal'));
    assert.equal(halted.rwset.event?.name, 'trial:halted');
    await world.act('tally', 'board', 'resume', await world.boardAct('resume', 'none'));
    const made = world.hidden('coordinator', { secret: random(), salt: random() });
    const claim = world.hidden('investigator', { participant: 'P2', hmacs: [random()], salt: random() });
    for (const [verb, call, place] of [
      ['trial:new-secret', made, 'care-keys'],
      ['trial:claim', claim, 'care'],
    ] as const) {
      const { rwset } = await world.ledger.submit('stmary', verb, call);
      assert.deepEqual([...rwset.writes.keys()], [place]);
    }
  });

  it('keeps arms and nonces from every public value before the reveal', async () => {
    const world = await TrialWorld.enrolling();
    const slots = world.lists.get('s1')!;
    const kept = world.ledger.outcomes.filter(({ transaction }) => transaction === 'trial:keep-arms');
    assert.deepEqual([...new Set(kept.flatMap(({ outcome }) => [...outcome.rwset.writes.keys()]))], ['of-tally']);
    for (const [index, site] of sites.entries()) await world.enrolled(`P${index}`, site, 's1', index + 1);
    const nonces = [...world.lists.values()].flat().map(({ nonce }) => nonce);
    const inClear = world.ledger.outcomes.map(({ outcome }) => outcome.inClear).join('\n');
    assert.deepEqual(
      nonces.filter((nonce) => inClear.includes(nonce)),
      [],
    );
    const kits = (await world.view()).slots.find(({ stratum }) => stratum === 's1')?.taken.map(({ kit }) => kit);
    assert.deepEqual(
      kits,
      slots.slice(0, 3).map(({ kit }) => kit),
    );
    assert.ok(inClear.includes(TRIAL));
  });
});
