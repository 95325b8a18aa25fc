import assert from 'node:assert/strict';
import type { TrialView } from '@salus/chaincode/trial/api';
import { validationIssues } from '@salus/gateway/fhir/validate';
import { dueList } from '@salus/gateway/trial/due';
import { withTrials } from '@salus/gateway/trial/operations';
import { adverseEvents, researchSubjects } from '@salus/gateway/trial/study-resources';
import { commitment } from './attempts.js';
import { seriousEvent, TRIAL, TrialWorld } from './world.js';

const DAY = 86_400_000;

describe('what a trial owes and shows', () => {
  let world: TrialWorld;
  let began: number;
  /** As it was on the fifth day, when a report was sent that nobody acknowledged. */
  let unacknowledged: TrialView;
  const at = (days: number): string => new Date(began + days * DAY).toISOString();
  const report = (event: string, change: object = {}) => seriousEvent(commitment, { event, awareAt: at(0), ...change });

  const came = (member: string, role: string, event: string) =>
    world.act(member, role, 'acknowledge-event', { event, n: 1, commitment });

  before(async () => {
    world = await TrialWorld.enrolling();
    began = world.ledger.clockMs;
    await world.enrolled('P1', 'stmary', 's1', 1);
    await world.enrolled('P2', 'northside', 's1', 2);
    await world.act('stmary', 'investigator', 'report-event', report('E1'));
    await world.act('stmary', 'investigator', 'report-event', report('E2', { isFatal: true }));
    await world.act('stmary', 'investigator', 'report-event', report('E3', { isSerious: false }));
    await came('acme', 'admin', 'E1');
    await world.ledger.pass(2 * DAY, 'stmary');
    await world.act('stmary', 'investigator', 'report-event', report('E4'));
    await came('acme', 'admin', 'E2');
    await world.act('acme', 'sponsor', 'submit-event', { event: 'E4', n: 1, commitment });
    await came('authority', 'admin', 'E4');
    await world.ledger.pass(3 * DAY, 'stmary');
    await world.act('acme', 'sponsor', 'submit-event', { event: 'E2', n: 1, commitment });
    unacknowledged = await world.view();
    await world.ledger.pass(3 * DAY, 'stmary');
    await came('authority', 'admin', 'E2');
    await world.act('acme', 'sponsor', 'assess-event', {
      event: 'E1',
      n: 2,
      causality: 'unrelated',
      isUnexpected: true,
    });
  });

  const told = (view: TrialView, days: number, to = '') =>
    dueList(view, at(days))
      .filter((each) => each.to.startsWith(to))
      .map(({ event, from, at: member, state, by }) => `${event} ${from}>${member} ${state} ${by ?? ''}`);

  it('lists every step with its deadline: what came late stays late, what has not come becomes overdue', async () => {
    const came = [
      ...[`E1 stmary>acme in-time ${at(1)}`, `E2 stmary>acme late ${at(1)}`],
      ...[`E2 acme>authority late ${at(7)}`, `E4 acme>authority in-time ${at(17)}`],
    ];
    const view = await world.view();
    assert.deepEqual(told(view, 8), [`E4 stmary>acme overdue ${at(1)}`, `E1 acme>authority open ${at(15)}`, ...came]);
    const late = [`E4 stmary>acme overdue ${at(1)}`, `E1 acme>authority overdue ${at(15)}`, ...came];
    assert.deepEqual(told(view, 15.1), late);
  });

  it("takes for a report what came, not the sponsor's word: sent and not acknowledged it is overdue like any other", async () => {
    const [first] = dueList(unacknowledged, at(5)).filter(({ event, to }) => event === 'E2' && to === 'regulator');
    assert.deepEqual([first?.state, first?.sent, first?.acknowledged], ['sent', at(5), undefined]);
    assert.ok(told(unacknowledged, 7.1).includes(`E2 acme>authority overdue ${at(7)}`));
    const [record] = unacknowledged.submissions.filter(({ event }) => event === 'E2');
    assert.equal(record?.isLate, false, 'it was sent in time');
    const [late] = dueList(await world.view(), at(8)).filter(({ event, to }) => event === 'E2' && to === 'regulator');
    assert.deepEqual([late?.state, late?.sent, late?.acknowledged], ['late', at(5), at(8)]);
  });

  it('owes a report again when a follow-up came after it', async () => {
    await world.act('stmary', 'investigator', 'report-event', report('E4', { n: 2, isFatal: true, awareAt: at(8) }));
    const open = dueList(await world.view(), at(8)).filter(({ state }) => state === 'open');
    assert.deepEqual(
      open.map(({ event, by }) => `${event} ${by ?? ''}`),
      [`E4 ${at(15)}`, `E1 ${at(15)}`].sort(),
    );
  });

  it('shows events as valid AdverseEvents, the two words on causality beside each other', async () => {
    const events = adverseEvents(await world.view(), []) as Record<string, unknown>[];
    for (const event of events) assert.deepEqual(validationIssues(event), []);
    const text = JSON.stringify(events.find(({ identifier }) => JSON.stringify(identifier).includes('"E1"')));
    assert.match(text, /"related"},"author":{"display":"investigator"}.*"unrelated"},"author":{"display":"sponsor"}/);
    assert.match(text, /due-at-regulator/);
  });

  it('shows a late first report as late, detected when it was, whatever punctual follow-up comes', async () => {
    const view = await world.view();
    const [first, followUp] = view.events.filter(({ event }) => event === 'E4');
    assert.deepEqual([first?.isLate, followUp?.isLate], [true, false]);
    const shown = adverseEvents(view, []).find((each) => JSON.stringify(each).includes('"E4"'));
    const { extension, detected, recordedDate } = shown as Record<string, unknown>;
    assert.deepEqual([detected, recordedDate], [at(0), first?.at]);
    assert.match(JSON.stringify(extension), /"urn:salus:reported-late","valueBoolean":true/);
  });

  it('lists a deadline that an assessment in time ended, and nothing as open then', async () => {
    const view = await world.view();
    const { dueBy = '', ...ended } = { ...view.events[0]!, event: 'E8', n: 2, act: 'assess' as const };
    const events = [{ ...view.events[0]!, event: 'E8', n: 1 }, ended];
    const listed = dueList({ ...view, events, submissions: [], acknowledgements: [] }, at(99)).filter(
      ({ to }) => to === 'regulator',
    );
    assert.deepEqual(
      listed.map(({ state, by }) => [state, by]),
      [['expected', dueBy]],
    );
  });

  it('goes on to list a late report when a follow-up came that needs none', async () => {
    const view = await world.view();
    const [first] = view.events;
    const made = { ...first!, event: 'E9', n: 1, dueBy: at(1), isSerious: true };
    const { dueBy, ...mild } = { ...made, n: 2, isSerious: false };
    assert.equal(typeof dueBy, 'string');
    const late = { ...made, commitment, isLate: true, tick: at(2), by: { member: 'authority', role: 'admin' } };
    const known = { ...view, events: [made, mild], submissions: [late], acknowledgements: [late] };
    const listed = dueList(known, at(3));
    const regulator = listed.filter(({ to }) => to === 'regulator');
    assert.deepEqual(
      regulator.map(({ event, state, by }) => [event, state, by]),
      [['E9', 'late', at(1)]],
    );
  });

  it('shows participants as valid ResearchSubjects, without arms until their list is revealed', async () => {
    const before = researchSubjects(await world.view()) as Record<string, unknown>[];
    for (const subject of before) assert.deepEqual(validationIssues(subject), []);
    assert.ok(before.every((subject) => !('assignedArm' in subject)));
    await world.locked();
    await world.act('tally', 'statistician', 'reveal', { stratum: 's1', slots: world.lists.get('s1') });
    const after = researchSubjects(await world.view()) as Record<string, unknown>[];
    for (const subject of after) assert.deepEqual(validationIssues(subject), []);
    assert.deepEqual(
      after.map(({ assignedArm }) => assignedArm),
      world.lists
        .get('s1')!
        .slice(0, 2)
        .map(({ arm }) => arm),
    );
  });

  it('answers over FHIR: $due, and searches by study; of a study of the record alone the record answers', async () => {
    const evaluate = async ({ transaction = '', argument = '' }): Promise<Uint8Array> =>
      Buffer.from(
        (await world.ledger.evaluate('authority', transaction, argument === '' ? {} : { args: [argument] })).payload,
      );
    const fhir = withTrials(() => Promise.resolve({ status: 418, headers: {} }), {
      ...{ member: 'authority', ledger: { evaluate, submit: () => assert.fail('a read writes nothing') } },
      ...{ decision: { allow: () => undefined }, ask: () => assert.fail('no door is asked') },
      ...{
        facts: { fact: () => undefined },
        keep: () => assert.fail('a read keeps nothing'),
        entering: {
          enter: () => assert.fail('a read keeps nothing'),
          declare: () => assert.fail('a read keeps nothing'),
          report: () => assert.fail('a read keeps nothing'),
          submit: () => assert.fail('a read keeps nothing'),
        },
      },
      randomizing: { randomize: () => assert.fail('a read enrols nobody') },
      claim: () => assert.fail('a read claims nobody'),
      catchUp: () => Promise.resolve(),
      shown: () => assert.fail('nobody is shown'),
      // By this gateway's own clock everything would be overdue.
      now: () => began + 99 * DAY,
    });
    const actor = { member: 'authority', user: 'u-1', role: 'regulator', purpose: 'CLINTRCH', scopes: [] };
    const get = async (path: string, query = '') => {
      const request = { method: 'GET', path, query: new URLSearchParams(query), headers: {}, actor };
      const { status, resource } = await fhir(request);
      return { status, text: JSON.stringify(resource) };
    };
    const due = async (state: string) => {
      const { text } = await get(`ResearchStudy/${TRIAL}/$due`);
      assert.match(text, /"asOf","valueInstant":"[^"]+"/);
      return text.split(`"valueCode":"${state}"`).length - 1;
    };
    assert.deepEqual([await due('open'), await due('overdue')], [2, 1], 'by the ticks');
    await world.ledger.pass(8 * DAY, 'stmary');
    assert.deepEqual([await due('open'), await due('overdue')], [0, 4]);
    assert.match((await get('AdverseEvent', `study=ResearchStudy/${TRIAL}`)).text, /"total":4/);
    assert.match((await get('ResearchSubject', `study=${TRIAL}`)).text, /"total":2/);
    assert.equal((await get('ResearchSubject', 'patient=1')).status, 418);
  });
});
