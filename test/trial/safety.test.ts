import assert from 'node:assert/strict';
import type { EventRecord, ReportEvent } from '@salus/chaincode/trial/api';
import { Refusal } from '@salus/chaincode/dist/lib/refusal.js';
import { acknowledgeEvent, assessEvent, reportEvent, submitEvent } from '@salus/chaincode/dist/trial/safety.js';
import { commitment } from './attempts.js';
import { seriousEvent, TrialWorld } from './world.js';

const day = (days: number): string => new Date(Date.UTC(2026, 0, 1) + days * 86_400_000).toISOString();
const by = { member: 'stmary', role: 'investigator' };
const taking = { site: 'stmary', since: day(0) };
const request: ReportEvent = {
  ...{ trial: 'T', event: 'E', n: 1, participant: 'P1', commitment: 'c', isSerious: true, isFatal: false },
  ...{ severity: 'moderate', causality: 'related', awareAt: day(1) },
};

const act = (at: string) => ({ by, at, tx: 't' });

function allowed<T>(result: T | Refusal): T {
  assert.ok(!(result instanceof Refusal), result instanceof Refusal ? result.code : '');
  return result;
}

function report(change: Partial<ReportEvent>, tick: string, before?: EventRecord, isReported = false): EventRecord {
  const facts = { taking, before, there: undefined, isReported, tick };
  return allowed(reportEvent({ ...request, n: (before?.n ?? 0) + 1, ...change }, facts, { by, at: tick, tx: 't' }));
}

function assess(
  before: EventRecord,
  causality: 'related' | 'unrelated',
  isUnexpected: boolean,
  tick = day(9),
): EventRecord {
  const facts = { taking, before, there: undefined, isReported: false, tick };
  const asked = { trial: 'T', event: 'E', n: before.n + 1, causality, isUnexpected };
  return allowed(assessEvent(asked, facts, { by: { member: 'acme', role: 'sponsor' }, at: day(9), tx: 't' }));
}

describe('safety clocks', () => {
  it('give the investigator 24 hours by ticks; a late report is taken and marked', () => {
    assert.equal(report({}, day(2)).isLate, false);
    assert.equal(report({}, new Date(Date.parse(day(2)) + 1).toISOString()).isLate, true);
    assert.equal(report({ isSerious: false }, day(30)).isLate, false);
  });

  it('give the sponsor 15 days from its awareness, 7 where fatal, and none where it is not serious or unrelated', () => {
    assert.equal(report({}, day(2)).dueBy, day(17));
    assert.equal(report({ isFatal: true }, day(2)).dueBy, day(9));
    assert.equal(report({ isSerious: false }, day(2)).dueBy, undefined);
    assert.equal(report({ causality: 'unrelated' }, day(2)).dueBy, undefined);
  });

  it('are tightened by new information and never loosened', () => {
    const first = report({}, day(2));
    const fatal = report({ isFatal: true }, day(4), first);
    assert.equal(fatal.dueBy, day(11));
    assert.equal(report({ isFatal: true }, day(16), first).dueBy, day(17));
    assert.equal(report({ causality: 'unrelated' }, day(5), fatal).dueBy, day(11));
  });

  it('run from when the sponsor hears that the investigator now thinks it related', () => {
    const first = report({ causality: 'unrelated' }, day(2));
    assert.equal(first.dueBy, undefined);
    const related = report({ awareAt: day(20) }, day(20), first);
    assert.deepEqual([related.sponsorAwareAt, related.dueBy], [day(20), day(35)]);
  });

  it('run anew once the regulator has its report, from when the sponsor hears what is new', () => {
    const first = report({}, day(2));
    assert.equal(report({ isFatal: true, awareAt: day(20) }, day(20), first, true).dueBy, day(27));
    assert.equal(report({ awareAt: day(20) }, day(20), first, true).dueBy, day(35));
    assert.equal(report({ isSerious: false, awareAt: day(20) }, day(20), first, true).dueBy, undefined);
  });

  it('run while the sponsor says nothing, and whatever it says of causality', () => {
    const first = report({}, day(2));
    const denied = assess(first, 'unrelated', true);
    assert.equal(denied.dueBy, day(17));
    assert.equal(denied.byInvestigator, 'related');
    const own = assess(report({ causality: 'unrelated' }, day(2)), 'related', true);
    assert.equal(own.dueBy, day(17));
    assert.equal(report({}, day(10), denied).bySponsor, 'unrelated');
  });

  it('end when the sponsor says in time that it was expected, not when it says so too late', () => {
    const first = report({}, day(2));
    const expected = assess(first, 'related', false);
    assert.equal(expected.dueBy, undefined);
    const followUp = report({}, day(10), expected);
    assert.deepEqual([followUp.isUnexpected, followUp.dueBy], [false, undefined]);
    assert.equal(assess(followUp, 'related', true).dueBy, day(17));
    assert.equal(assess(first, 'related', false, day(17)).dueBy, undefined);
    assert.equal(assess(first, 'related', false, day(17.1)).dueBy, day(17));
  });

  it('run again, from when the sponsor hears of it, for what an early "expected" was not said of', () => {
    const expected = assess(report({ isSerious: false }, day(2)), 'related', false);
    const fatal = report({ isFatal: true, awareAt: day(20) }, day(20), expected);
    assert.deepEqual([fatal.bySponsor, fatal.isUnexpected, fatal.dueBy], ['related', undefined, day(27)]);
    const graver = report({ severity: 'severe' }, day(12), assess(report({}, day(2)), 'related', false));
    assert.deepEqual([graver.isUnexpected, graver.dueBy], [undefined, day(27)]);
    const anew = report({ awareAt: day(20) }, day(20), expected, true);
    assert.deepEqual([anew.isUnexpected, anew.dueBy], [undefined, day(35)]);
    // What it said to be unexpected, it does not take back by news.
    const unexpected = assess(report({}, day(2)), 'related', true);
    assert.equal(report({ isFatal: true }, day(10), unexpected).isUnexpected, true);
  });

  it('mark the report to the regulator that comes late', () => {
    const first = report({}, day(2));
    const asked = { event: 'E', n: 1, commitment: 'c' };
    const submit = (tick: string) => allowed(submitEvent(asked, first, undefined, tick, { by, at: tick, tx: 't' }));
    assert.equal(submit(day(17)).isLate, false);
    assert.equal(submit(day(17.1)).isLate, true);
  });

  it('mark what comes late by the tick of whom it was owed to, whatever was said to be sent', () => {
    const sent = report({}, day(2));
    const submission = allowed(
      submitEvent({ event: 'E', n: 1, commitment: 'd' }, sent, undefined, day(3), act(day(3))),
    );
    const came = (isSponsor: boolean, tick: string) => {
      const facts = { event: sent, submission: isSponsor ? undefined : submission, there: undefined, isSponsor, tick };
      return allowed(acknowledgeEvent({ event: 'E', n: 1, commitment: isSponsor ? 'c' : 'd' }, facts, act(tick)));
    };
    assert.deepEqual([sent.isLate, submission.isLate], [false, false]);
    assert.deepEqual([came(true, day(2)).isLate, came(true, day(2.1)).isLate], [false, true]);
    assert.deepEqual([came(false, day(17)).isLate, came(false, day(17.1)).isLate], [false, true]);
  });

  it('run on over what the sponsor says that it sent, until every regulator has it', async () => {
    const world = await TrialWorld.enrolling();
    const instant = (): string => new Date(world.ledger.clockMs).toISOString();
    await world.enrolled('P1', 'stmary', 's1', 1);
    const report = (event: string, n: number) =>
      world.act('stmary', 'investigator', 'report-event', seriousEvent(commitment, { event, n, awareAt: instant() }));
    for (const event of ['SENT', 'CAME']) {
      await report(event, 1);
      await world.act('acme', 'sponsor', 'submit-event', { event, n: 1, commitment });
    }
    await world.act('authority', 'regulator', 'acknowledge-event', { event: 'CAME', n: 1, commitment });
    await world.ledger.pass(86_400_000, 'stmary');
    for (const event of ['SENT', 'CAME']) await report(event, 2);
    const { events } = await world.view();
    const due = (name: string) =>
      events.filter(({ event }) => event === name).map(({ dueBy = '' }) => Date.parse(dueBy));
    const [first = 0, again] = due('CAME');
    assert.deepEqual([due('SENT'), again], [[first, first], first + 86_400_000]);
  });
});
