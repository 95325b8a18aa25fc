import assert from 'node:assert/strict';
import { random } from '../support/contract-world.js';
import { commitment, reason } from './attempts.js';
import { outcomes, protocol, TRIAL, TrialWorld } from './world.js';

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
