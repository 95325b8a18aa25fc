/** The days of safety reports on a running network, over HTTP: its clocks are shifted from start to start. */
import assert from 'node:assert/strict';
import { engineName } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { freePortBase } from '../support/free-ports.js';
import { type Answer, type FhirBody, startNetwork, type TestNetwork } from '../support/network.js';
import { scratchFolder } from '../support/scratch.js';
import { NetworkStudy, STUDY, text, threeHospitals } from './network-study.js';
import { seriousEvent } from './world.js';

const DAY_MS = 86_400_000;
/** What the report to the regulator says, and nothing else on the network. */
const CANARY = 'CANARY-hepatic-failure';

describe('the days of safety reports, on a running network', function () {
  this.timeout(300_000);
  // Fabric's own programs know no other time than the machine's.
  if (engineName !== 'embedded') return;
  const folder = scratchFolder();
  let portBase: number;
  let network: TestNetwork;
  let study: NetworkStudy;
  let began: string;

  async function startOn(day: number): Promise<void> {
    const wish = { stateDir: folder.path, portBase, topologyFile: threeHospitals(folder.path) };
    network = await startNetwork({ ...wish, clockOffsetMs: day * DAY_MS });
    study = new NetworkStudy(network, 4);
  }
  async function restartOn(day: number): Promise<void> {
    await network.stop();
    await startOn(day);
  }

  const contentOf = (told: string) => ({ resourceType: 'AdverseEvent', actuality: 'actual', event: { text: told } });
  /** Done once a tick is there to decide by. */
  async function done(ask: () => Promise<Answer>): Promise<Answer> {
    let answer: Answer | undefined;
    await eventually(async () => {
      answer = await ask();
      assert.equal(answer.status, 200, answer.text);
    });
    return answer ?? assert.fail();
  }
  async function report(event: string, change: object): Promise<void> {
    const { commitment: none, ...graded } = seriousEvent('', { event, awareAt: began, ...change });
    assert.equal(none, '');
    const values = [
      text('request', JSON.stringify(graded)),
      { name: 'event', resource: contentOf(`${event} at the site`) },
    ];
    const { text: said } = await done(() => study.post('stmary', 'investigator', '$report-event', values));
    assert.match(said, /"handedOver","valueBoolean":true/);
  }
  async function submit(event: string): Promise<void> {
    const values = [text('request', JSON.stringify({ event, n: 1 })), { name: 'report', resource: contentOf(CANARY) }];
    const { text: said } = await done(() => study.post('acme', 'sponsor', '$submit-event', values));
    assert.match(said, /"handedOver","valueBoolean":true/);
  }
  const ask = async (member: string, role: string, path: string): Promise<Answer> =>
    network.ask(member, path, { token: await network.token({ member, role }) });

  /** What the regulator's gateway lists, once it lists this: event, to whom, state. */
  async function lists(...wanted: readonly string[]): Promise<void> {
    await eventually(async () => {
      const answer = await ask('authority', 'regulator', `ResearchStudy/${STUDY}/$due`);
      const found = (answer.body['parameter'] as { name: string; part?: Part[] }[]).filter(
        ({ name }) => name === 'due',
      );
      const said = found.map(({ part = [] }) => ['event', 'to', 'state'].map((name) => valueIn(part, name)).join(' '));
      assert.deepEqual(said.sort(), [...wanted].sort(), answer.text);
    });
  }

  before(async () => {
    portBase = await freePortBase();
    await startOn(0);
    await study.opened();
    await study.prepared('P1', 'stmary');
    began = new Date().toISOString();
    await report('FATAL', { isFatal: true });
    await report('SEVERE', {});
    await report('SENT', {});
    await submit('SENT');
  });
  after(async () => {
    await network.stop();
    folder.remove();
  });

  it('begin with the report: what the regulator acknowledged came in time, the rest is open', async () => {
    await lists(
      ...['FATAL', 'SEVERE', 'SENT'].map((event) => `${event} sponsor in-time`),
      ...['FATAL regulator open', 'SEVERE regulator open', 'SENT regulator in-time'],
    );
    const { body } = await ask('authority', 'regulator', `AdverseEvent?study=ResearchStudy/${STUDY}&participant=P1`);
    const shown = (body.entry ?? []).map(({ resource }: { resource?: FhirBody }) => resource?.['event']);
    assert.deepEqual(shown, [{ text: CANARY }], 'the one report that was handed over');
    const other = await ask('tally', 'board', `AdverseEvent?study=ResearchStudy/${STUDY}&participant=P1`);
    assert.deepEqual([other.status, other.text.includes(CANARY)], [403, false]);
  });

  it('are over for a fatal event after 7, for another not yet', async () => {
    await restartOn(8);
    await lists(
      ...['FATAL', 'SEVERE', 'SENT'].map((event) => `${event} sponsor in-time`),
      ...['FATAL regulator overdue', 'SEVERE regulator open', 'SENT regulator in-time'],
    );
    await submit('FATAL');
    await submit('SEVERE');
    await report('UNTOLD', { isFatal: false });
    await lists(
      ...['FATAL', 'SEVERE', 'SENT'].map((event) => `${event} sponsor in-time`),
      ...['FATAL regulator late', 'SEVERE regulator in-time', 'SENT regulator in-time'],
      ...['UNTOLD sponsor late', 'UNTOLD regulator open'],
    );
  });

  it('are over for any after 15 from when the sponsor heard of it', async () => {
    await restartOn(24);
    await eventually(async () => {
      const { text: said } = await ask('meridian', 'auditor', `ResearchStudy/${STUDY}/$due`);
      assert.match(said, /"UNTOLD"[^\]]*"regulator"[^\]]*"overdue"/);
    });
  });
});

interface Part {
  readonly name: string;
  readonly valueString?: string;
  readonly valueCode?: string;
}

function valueIn(part: readonly Part[], name: string): string {
  const { valueString, valueCode } = part.find((each) => each.name === name) ?? { valueString: undefined };
  return valueString ?? valueCode ?? '';
}
