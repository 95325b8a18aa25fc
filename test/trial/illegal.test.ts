import assert from 'node:assert/strict';
import { adverseEvents } from '@salus/gateway/trial/study-resources';
import { Attempts, commitment } from './attempts.js';
import { illegalOnData } from './illegal-data.js';
import { illegalAtEnrolment } from './illegal-enrolment.js';
import { seriousEvent, TrialWorld } from './world.js';

const DAY = 86_400_000;

const open = async (): Promise<Attempts> => Attempts.onTwo(await TrialWorld.founded());

describe("on the contracts' double", () => {
  illegalAtEnrolment(open);
  illegalOnData(open);

  it('late report hidden behind a punctual follow-up: flagged as late for ever', async () => {
    const world = await TrialWorld.founded();
    await Attempts.onTwo(world);
    const began = world.ledger.clockMs;
    const report = (n: number, aware: number) =>
      seriousEvent(commitment, { event: 'E1', n, awareAt: new Date(aware).toISOString() });
    await world.ledger.pass(2 * DAY, 'stmary');
    await world.act('stmary', 'investigator', 'report-event', report(1, began));
    await world.act('stmary', 'investigator', 'report-event', report(2, began + 2 * DAY));
    const view = await world.view();
    assert.deepEqual(
      view.events.map(({ isLate }) => isLate),
      [true, false],
    );
    assert.match(JSON.stringify(adverseEvents(view, [])), /"urn:salus:reported-late","valueBoolean":true/);
  });
});
