import assert from 'node:assert/strict';
import { datasetOf } from '@salus/gateway/trial/datasets';
import { provenances } from '@salus/gateway/trial/line-resources';
import { random } from '../support/contract-world.js';
import { commitment, reason } from './attempts.js';
import { outcomes, protocol, TRIAL, TrialWorld } from './world.js';

/** Somebody of stmary withdraws after the first consent. */
async function withdrawn(world: TrialWorld, participant: string): Promise<void> {
  const says = { participant, n: 2, withdrawn: 'keep-data' };
  const statement = world.patients.get(participant)!.sign({ channel: 'health', trial: TRIAL, ...says });
  await world.act('stmary', 'patient', 'withdraw', { ...says, statement });
}

describe('what a trial stands at', () => {
  it('is what blocks say in their order: who was to be enrolled before a halt and comes after it is not', async () => {
    const world = await TrialWorld.enrolling();
    await world.prepared('P1', 'stmary');
    const request = { trial: TRIAL, participant: 'P1', stratum: 's1', slot: 1, consent: 1 };
    const enrol = await world.ledger.evaluate('stmary', 'trial:enrol', world.call('investigator', request));
    assert.equal(enrol.status, 200, enrol.message);
    await world.act('tally', 'board', 'halt', await world.boardAct('halt', 'signal'));
    assert.equal(world.ledger.commit(enrol), 'MVCC_READ_CONFLICT');
    assert.deepEqual((await world.view()).slots[0]?.taken, []);
  });

  it('has outcomes compared with those in force at every milestone, not with the latest', async () => {
    const world = await TrialWorld.enrolling();
    await world.enrolled('P1', 'stmary', 's1', 1);
    const amend = async (version: number, timeFrame: string): Promise<readonly string[]> => {
      const { hash: previous } = await world.newest();
      const changed = protocol({ outcomes: [{ ...outcomes[0]!, timeFrame }, ...outcomes.slice(1)] });
      await world.act('acme', 'sponsor', 'register-version', { version, previous, protocol: changed, reason });
      return (await world.newest()).flags.map((flag) => `${flag.milestone} ${flag.version}`);
    };
    assert.deepEqual(await amend(2, 'week 12'), ['first-enrolment 1']);
    await world.activated(2);
    await world.locked();
    assert.deepEqual(await amend(3, 'week 26'), ['lock 2'], 'as at first enrolment, but not as at lock');
    assert.deepEqual(await amend(4, 'week 4'), ['first-enrolment 1', 'lock 2']);
    assert.deepEqual(await amend(5, 'week 12'), ['first-enrolment 1']);
  });

  it('takes nothing more of who withdrew, and goes on with what others have', async () => {
    const world = await TrialWorld.enrolling();
    await world.enrolled('P1', 'stmary', 's1', 1);
    const says = { participant: 'P1', n: 2, withdrawn: 'keep-data' };
    const statement = world.patients.get('P1')!.sign({ channel: 'health', trial: TRIAL, ...says });
    await world.act('stmary', 'patient', 'withdraw', { ...says, statement });
    const entry = { participant: 'P1', n: 1, act: 'enter', commitment: random() };
    for (const [consent, code] of [
      [1, 'consent-out-of-line'],
      [2, 'consent-withdrawn'],
    ] as const) {
      const point = await world.pointOf('stmary', 'coordinator', { ...entry, consent });
      await world.refused(code, 'stmary', 'coordinator', 'point', point);
    }
  });

  it('declares nobody eligible who withdrew, or whose deadline for a new consent is over', async () => {
    const world = await TrialWorld.enrolling();
    for (const name of ['P1', 'P2']) {
      await world.act('stmary', 'investigator', 'consent', await world.consentOf(name, 'stmary'));
    }
    const declare = (participant: string) => ({ participant, criteria: world.answers() });
    await withdrawn(world, 'P1');
    await world.refused('consent-withdrawn', 'stmary', 'investigator', 'declare-eligible', declare('P1'));
    await world.document(2, new Date(world.ledger.clockMs + 60_000).toISOString());
    await world.ledger.pass(90_000, 'northside');
    await world.refused('consent-superseded', 'stmary', 'investigator', 'declare-eligible', declare('P2'));
    await world.act('stmary', 'investigator', 'consent', await world.consentOf('P2', 'stmary', 2, 2));
    await world.act('stmary', 'investigator', 'declare-eligible', declare('P2'));
  });

  it('corrects after a deadline or a withdrawal what was entered before, and says so for ever', async () => {
    const world = await TrialWorld.enrolling();
    await world.enrolled('P1', 'stmary', 's1', 1);
    const about = { participant: 'P1', reason };
    const correct = (n: number) =>
      world.point('stmary', 'coordinator', { ...about, n, act: 'correct', commitment: random() });
    await world.point('stmary', 'coordinator', { ...about, n: 1, act: 'enter', commitment: random(), consent: 1 });
    await correct(2);
    await world.document(2, new Date(world.ledger.clockMs + 60_000).toISOString());
    await correct(3);
    await world.ledger.pass(90_000, 'northside');
    await correct(4);
    await withdrawn(world, 'P1');
    await correct(5);
    const late = { ...about, form: 'labs', n: 1, act: 'enter', commitment: random(), consent: 2 };
    const entered = await world.pointOf('stmary', 'coordinator', late);
    await world.refused('consent-withdrawn', 'stmary', 'coordinator', 'point', entered);
    const line = await world.line('P1');
    assert.deepEqual(
      line.points.map(({ lapsed }) => lapsed),
      [undefined, undefined, undefined, 'after-deadline', 'after-withdrawal'],
    );
    const shown = provenances(line, 'P1')
      .slice(-5)
      .map((each) => JSON.stringify(each));
    assert.match(shown[4]!, /"urn:salus:consent-lapsed","valueCode":"after-withdrawal"/);
    assert.ok(!shown[2]!.includes('consent-lapsed'));
    const data = { view: await world.view(), lines: [['P1', line] as const], content: () => undefined };
    const { rows } = datasetOf('AUDIT', data, '') as { readonly rows: readonly (readonly unknown[])[] };
    assert.deepEqual(
      rows.map((row) => row.at(-1)),
      [null, null, null, 'after-deadline', 'after-withdrawal'],
    );
  });

  it('opens a locked data point for a reason and by people of two members, and keeps both signatures', async () => {
    const world = await TrialWorld.enrolling();
    await world.enrolled('P1', 'stmary', 's1', 1);
    await world.signed('P1', 'stmary', 'vitals', commitment);
    await world.point('tally', 'cro', { participant: 'P1', n: 5, act: 'freeze' });
    await world.point('tally', 'cro', { participant: 'P1', n: 6, act: 'lock-point' });
    const unlock = async (why: object) => {
      const about = { participant: 'P1', n: 7, commitment, meaning: 'unlock-point', ...why };
      const signatures = [
        await world.signatureOf('tally', about, 'cro'),
        await world.signatureOf('acme', about, 'sponsor'),
      ];
      return world.pointOf('tally', 'cro', { participant: 'P1', n: 7, act: 'unlock-point', ...why, signatures });
    };
    await world.refused('reason-missing', 'tally', 'cro', 'point', await unlock({}));
    await world.act('tally', 'cro', 'point', await unlock({ reason }));
    const call = { args: [JSON.stringify({ trial: TRIAL, participant: 'P1' })] };
    const { points } = JSON.parse((await world.ledger.evaluate('acme', 'trial:line', call)).payload) as {
      points: { state: string; reason?: string; statements?: string[] }[];
    };
    const { state, reason: why, statements = [] } = points.at(-1)!;
    assert.deepEqual([state, why, new Set(statements).size], ['open', reason, 2]);
  });
});
