import assert from 'node:assert/strict';
import { parseKey } from '@salus/chaincode/registry/api';
import type { ParticipantView, PointRecord, StatusRecord } from '@salus/chaincode/trial/api';
import { lockRootOf } from '@salus/chaincode/trial/api';
import type { JsonObject } from '@salus/gateway/fhir/json';
import { validationIssues } from '@salus/gateway/fhir/validate';
import { auditEvents, studyProvenances } from '@salus/gateway/trial/line-resources';
import { compareVersions } from '@salus/gateway/trial/outcome-changes';
import { recordsIn, type TrialPackage } from '@salus/gateway/trial/package';
import { trialPage } from '@salus/gateway/trial/page';
import { checkLock } from '@salus/gateway/trial/verify-lock';
import { random } from '../support/contract-world.js';
import { commitment } from './attempts.js';
import { TRIAL, TrialWorld } from './world.js';

describe("a trial's package", () => {
  let world: TrialWorld;

  async function packaged(): Promise<TrialPackage> {
    const view = await world.view();
    const names = view.slots.flatMap(({ taken }) => taken.map(({ participant }) => participant));
    const lines: (readonly [string, ParticipantView])[] = [];
    for (const participant of names) {
      const call = { args: [JSON.stringify({ trial: TRIAL, participant })] };
      const { payload } = await world.ledger.evaluate('acme', 'trial:line', call);
      lines.push([participant, JSON.parse(payload) as ParticipantView]);
    }
    return { v: 1, kind: 'trial', trial: TRIAL, at: '', view, lines, kits: [] };
  }

  before(async () => {
    world = await TrialWorld.enrolling(4);
    await world.enrolled('P1', 'stmary', 's1', 1);
    await world.enrolled('P2', 'northside', 's1', 2);
    await world.act('stmary', 'investigator', 'consent', await world.consentOf('P-SCREENED', 'stmary'));
    await world.signed('P1', 'stmary', 'vitals', commitment);
    const unblind = { stratum: 's1', slot: 1, reason: 'overdose', delegate: 'stmary.investigator' };
    await world.act('stmary', 'investigator', 'unblind-one', unblind);
    world.ledger.clockMs += 1_000;
    await world.act('tally', 'statistician', 'record-look', { look: 1, reason: 'planned' });
    world.ledger.clockMs += 1_000;
    const says = { participant: 'P2', n: 2, withdrawn: 'keep-data' };
    const statement = world.patients.get('P2')!.sign({ channel: 'health', trial: TRIAL, ...says });
    await world.act('northside', 'patient', 'withdraw', { ...says, statement });
  });

  /** What the ledger has of the trial, but of who was only screened. */
  function onLedger(): { readonly all: number; readonly wanted: ReadonlyMap<string, string> } {
    const written = new Map<string, string>();
    for (const { outcome } of world.ledger.outcomes) {
      for (const [key, value] of outcome.rwset.writes.get('') ?? []) {
        const { name = '', attributes = [] } = parseKey(key) ?? {};
        if (name.startsWith('trial')) written.set([name, ...attributes].join('/'), String(value));
      }
    }
    const wanted = new Map([...written].filter(([name]) => !name.includes('P-SCREENED')));
    return { all: written.size, wanted };
  }

  async function assertWhole(): Promise<ReadonlyMap<string, object>> {
    const found = recordsIn(await packaged());
    const { wanted } = onLedger();
    assert.deepEqual([...found.keys()].sort(), [...wanted.keys()].sort());
    for (const [name, record] of found) assert.deepEqual(record, JSON.parse(wanted.get(name)!), name);
    return found;
  }

  it('has every record of the ledger under its own key, and of who was only screened none', async () => {
    await assertWhole();
    const { all, wanted } = onLedger();
    assert.ok(wanted.size > 25 && wanted.size < all);
  });

  it('is locked over what is there, or whoever named another root is found out', async () => {
    const signers = [await world.delegate('tally', 'cro'), await world.delegate('acme', 'sponsor')];
    const before = await packaged();
    assert.deepEqual(checkLock(recordsIn(before), TRIAL), []);
    const { points, acts } = lockRootOf(before.lines.flatMap(([, line]): readonly PointRecord[] => line.points));
    assert.deepEqual([points, acts], [1, 4]);
    const wrong = await world.lockOf({ root: random(), points, acts });
    await world.refused('point-count', 'tally', 'cro', 'lock', { ...wrong, acts: 3 });
    await world.act('tally', 'cro', 'lock', wrong);
    assert.match(checkLock(recordsIn(await packaged()), TRIAL).join(), /names 1 data points of another root/);
    const reason = 'a wrong root';
    const after = (await packaged()).view.status?.tx;
    const signatures = signers.map((key) => world.sign(key, { meaning: 'unlock', reason, after }));
    await world.act('tally', 'cro', 'unlock', { reason, signatures });
    assert.deepEqual(checkLock(recordsIn(await packaged()), TRIAL), []);
    await world.locked();
    assert.deepEqual(checkLock(recordsIn(await packaged()), TRIAL), []);
  });

  it('has every lock and the unlock between them, with its reason, also where people look', async () => {
    const found = await assertWhole();
    const numbers = ['000001', '000002', '000003'].map((n) => `trial-status-act/${TRIAL}/${n}`);
    const line = numbers.map((name) => found.get(name) as StatusRecord | undefined);
    const said = line.map((each) => `${each?.act} ${each?.reason}`);
    assert.deepEqual(said, ['lock last visit done', 'unlock a wrong root', 'lock last visit done']);
    assert.notEqual(line[0]?.root, line[2]?.root);
    const view = await world.view();
    const events = auditEvents(view).map((each) => JSON.stringify(each));
    const signed = studyProvenances(view).map((each) => JSON.stringify(each));
    for (const each of [...auditEvents(view), ...studyProvenances(view)]) {
      assert.deepEqual(validationIssues(each as JsonObject), []);
    }
    for (const [code, times] of [
      ['lock', 2],
      ['unlock', 1],
    ] as const) {
      for (const list of [events, signed]) {
        assert.equal(list.filter((each) => each.includes(`"code":"${code}"`)).length, times, code);
      }
    }
    const [first] = view.versions;
    const compared = compareVersions({ ...view, versions: [first!, { ...first!, version: 2 }] });
    const milestones = compared.map(({ milestone }) => milestone).sort();
    assert.deepEqual(milestones, ['first-enrolment', 'lock', 'lock 1', 'look 1']);
    const text = trialPage({ member: 'medisure', title: 'Medisure', channel: 'health' }, view);
    const acts = [...text.matchAll(/<strong>([a-z ]+)<\/strong> [^<]* by /g)].map(([, what]) => what);
    assert.deepEqual(acts, ['emergency unblinding', 'interim look', 'lock', 'unlock', 'lock']);
    assert.ok(text.includes('a wrong root') && text.includes('overdose'));
  });
});
