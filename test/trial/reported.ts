/** An adverse event reported with its content on a running network, and who sees what of it. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TrialView } from '@salus/chaincode/trial/api';
import type { JsonObject } from '@salus/gateway/fhir/json';
import { commitmentOf } from '@salus/gateway/trial/content';
import { eventually } from '../support/eventually.js';
import type { Answer, TestNetwork } from '../support/network.js';
import { seriousEvent } from './world.js';

/** What the content says, and nothing else on the network. */
const CANARY = 'CANARY-anaphylaxis';

/** Stmary's investigator reports the first event of P1; change is what differs of it. */
export async function reportedOnNetwork(network: TestNetwork, trial: string, change: object): Promise<void> {
  const { commitment: none, ...graded } = seriousEvent('', change);
  assert.equal(none, '', 'the gateway makes it');
  const event = { resourceType: 'AdverseEvent', actuality: 'actual', event: { text: CANARY } };
  const parameter = [
    { name: 'request', valueString: JSON.stringify(graded) },
    { name: 'event', resource: event },
  ];
  const body = { resourceType: 'Parameters', parameter };
  const report = async (member: string): Promise<Answer> => {
    const token = await network.token({ member, user: 'investigator-1', role: 'investigator' });
    return network.ask(member, `ResearchStudy/${trial}/$report-event`, { token, body });
  };
  const search = async (member: string, role: string, more = '&participant=P1'): Promise<Answer> => {
    const token = await network.token({ member, role });
    return network.ask(member, `AdverseEvent?study=ResearchStudy/${trial}${more}`, { token });
  };
  assert.equal((await report('northside')).status, 403, 'no site of the trial');
  let answer = await report('stmary');
  for (let tries = 0; answer.status !== 200; tries += 1) {
    // Awareness lies before the last tick, which may be half a minute old.
    assert.ok(tries < 100 && answer.text.includes('awareness-not-credible'), answer.text);
    await sleep(1_000);
    answer = await report('stmary');
  }
  assert.match(answer.text, /"handedOver","valueBoolean":true/);
  const [{ valueString: commitment = '' } = {}] = answer.body['parameter'] as { valueString?: string }[];

  for (const [member, role] of [
    ['stmary', 'investigator'],
    ['acme', 'monitor'],
  ] as const) {
    const { entry = [] } = (await search(member, role)).body as { entry?: { resource: JsonObject }[] };
    const [{ resource } = assert.fail(`${member} shows no event`), ...more] = entry;
    const { id, ...content } = resource;
    assert.deepEqual([typeof id, content['event'], more], ['string', { text: CANARY }, []], member);
    assert.equal(commitmentOf(content), commitment, `${member} shows what was committed to`);
  }
  for (const [member, role] of [
    ['northside', 'investigator'],
    ['tally', 'board'],
    ['authority', 'regulator'],
  ] as const) {
    const { status, text } = await search(member, role);
    // A regulator is shown what the sponsor reported to it: nothing yet.
    assert.deepEqual([status, text.includes(CANARY)], [role === 'regulator' ? 200 : 403, false], member);
    await eventually(async () => {
      const all = await search(member, role, '');
      assert.deepEqual([all.status, all.body.total, all.text.includes(CANARY)], [200, 1, false], all.text);
    });
    const { events } = (await network.ask(member, `/trials/${trial}`)).body as unknown as TrialView;
    assert.deepEqual(
      events.map((each) => each.commitment),
      [commitment],
      member,
    );
  }
}
