import assert from 'node:assert/strict';
import type { TrialView } from '@salus/chaincode/trial/api';
import { validationIssues } from '@salus/gateway/fhir/validate';
import { commitmentOf } from '@salus/gateway/trial/content';
import { dueList } from '@salus/gateway/trial/due';
import { packageIn, recordsIn } from '@salus/gateway/trial/package';
import { checkContents } from '@salus/gateway/trial/verify-contents';
import { Gateways, resourcesIn } from './ledger-double.js';
import { seriousEvent, TRIAL, TrialWorld } from './world.js';

const STUDY = `ResearchStudy/${TRIAL}`;

describe('reports of adverse events', function () {
  this.timeout(60_000);
  let world: TrialWorld;
  let gateways: Gateways;

  /** What is reported, with its content. */
  async function report(change: object, told: string, by: readonly [string, string] = ['stmary', 'investigator']) {
    const { commitment, ...graded } = seriousEvent('');
    assert.equal(commitment, '');
    const awareAt = new Date(world.ledger.clockMs).toISOString();
    const request = JSON.stringify({ ...graded, awareAt, ...change });
    const resource = { resourceType: 'AdverseEvent', actuality: 'actual', event: { text: told } };
    const parameter = [
      { name: 'request', valueString: request },
      { name: 'event', resource },
    ];
    return gateways.ask(...by, 'POST', `${STUDY}/$report-event`, { resourceType: 'Parameters', parameter });
  }
  const search = (member: string, role: string, more = '&participant=P1') =>
    gateways.ask(member, role, 'GET', `AdverseEvent?study=${STUDY}${more}`);

  before(async () => {
    world = await TrialWorld.enrolling();
    gateways = new Gateways(world);
    await world.prepared('P1', 'stmary');
  });

  it('keep their content at the site and, handed over, at the sponsor; the ledger has a commitment, also before randomisation', async () => {
    const { status, resource } = await report({}, 'rash');
    assert.equal(status, 200, JSON.stringify(resource));
    assert.match(JSON.stringify(resource), /"handedOver","valueBoolean":true/);
    const [content] = resourcesIn(await search('acme', 'monitor'));
    assert.match(JSON.stringify(content), /"rash"/);
    assert.deepEqual(validationIssues(content!), []);
    assert.deepEqual(resourcesIn(await search('stmary', 'investigator')), [content]);
    const { id, ...plain } = content!;
    assert.equal(typeof id, 'string');
    const [{ commitment } = assert.fail()] = (await world.view()).events;
    assert.equal(commitmentOf(plain), commitment);
    const said = world.ledger.outcomes.map(({ outcome: { rwset } }) =>
      [...rwset.writes.values()].flatMap((writes) => [...writes.values()].map(String)).join(),
    );
    assert.ok(!said.some((text) => text.includes('rash')), 'content lies on the ledger in clear');
  });

  it('are shown to nobody else, who see the event without its content', async () => {
    for (const [member, role] of [
      ['northside', 'investigator'],
      ['tally', 'board'],
      ['stmary', 'nurse'],
    ] as const) {
      assert.equal((await search(member, role)).status, 403, `${role} of ${member}`);
      const [event] = resourcesIn(await search(member, role, ''));
      assert.equal(event?.resourceType, 'AdverseEvent');
      assert.doesNotMatch(JSON.stringify(event), /rash/);
    }
    // The regulator is shown what the sponsor reported to it: nothing yet.
    assert.deepEqual(resourcesIn(await search('authority', 'regulator')), []);
  });

  it('are kept nowhere when the contract refuses them, or they are no AdverseEvent, or say what is no request', async () => {
    const before = gateways.kept.size;
    assert.equal((await report({}, 'twice')).status, 409);
    assert.equal((await report({ event: 'E2' }, 'of another', ['northside', 'investigator'])).status, 403);
    assert.equal((await report({ event: 'E2' }, 'by another', ['stmary', 'coordinator'])).status, 403);
    assert.equal((await report({ event: 'E2', severity: 'bad' }, 'graded otherwise')).status, 400);
    const parameter = [
      { name: 'request', valueString: '{}' },
      { name: 'event', resource: { resourceType: 'Patient' } },
    ];
    const other = { resourceType: 'Parameters', parameter };
    assert.equal((await gateways.ask('stmary', 'investigator', 'POST', `${STUDY}/$report-event`, other)).status, 400);
    assert.equal(gateways.kept.size, before);
  });

  it('go to the sponsor once it is back, also of who wants no further use of data', async () => {
    const says = { participant: 'P1', n: 2, withdrawn: 'use-no-data' };
    const statement = world.patients.get('P1')!.sign({ channel: 'health', trial: TRIAL, ...says });
    await world.act('stmary', 'patient', 'withdraw', { ...says, statement });
    gateways.away.add('acme');
    const { resource } = await report({ n: 2, isFatal: true }, 'shock');
    assert.match(JSON.stringify(resource), /"handedOver","valueBoolean":false/);
    assert.match(JSON.stringify(resourcesIn(await search('acme', 'sponsor')).at(-1)), /1 contents .* not kept here/);
    gateways.away.delete('acme');
    await gateways.goOn(() => gateways.promised.size === 0);
    const [first, second, ...more] = resourcesIn(await search('acme', 'sponsor'));
    assert.deepEqual(
      [/rash/.test(JSON.stringify(first)), /shock/.test(JSON.stringify(second)), more],
      [true, true, []],
    );
  });

  it('are sent again when asked, while other contents of who wants no further use are not', async () => {
    for (const name of [...gateways.facts.keys()]) if (name.startsWith('acme ')) gateways.facts.delete(name);
    const body = { resourceType: 'Parameters', parameter: [{ name: 'participant', valueString: 'P1' }] };
    const { resource } = await gateways.ask('stmary', 'coordinator', 'POST', `${STUDY}/$hand-over`, body);
    assert.match(JSON.stringify(resource), /"taken","valueInteger":2.*"missing","valueInteger":0/);
  });

  it('are no longer on the way once nothing is kept of them: the record of the patient was erased', async () => {
    gateways.away.add('acme');
    await report({ event: 'E3' }, 'fall');
    for (const [name, text] of gateways.facts) if (text.includes('fall')) gateways.facts.delete(name);
    gateways.away.delete('acme');
    await gateways.goOn(() => gateways.promised.size === 0);
    assert.ok(!resourcesIn(await search('acme', 'sponsor')).some((each) => JSON.stringify(each).includes('fall')));
  });

  it('are taken by the sponsor from the site that reported, as committed to', async () => {
    const [content] = resourcesIn(await search('stmary', 'investigator'));
    const { id, ...resource } = content!;
    assert.ok(id);
    const words = { trial: TRIAL, participant: 'P1', resource };
    assert.ok(await gateways.knock('stmary', 'acme', words));
    assert.equal(await gateways.knock('northside', 'acme', words), undefined);
    assert.equal(await gateways.knock('stmary', 'tally', words), undefined);
    assert.equal(
      await gateways.knock('stmary', 'acme', { ...words, resource: { ...resource, actuality: 'potential' } }),
      undefined,
    );
  }).timeout(30_000);

  /** What the sponsor tells the regulator of a state of an event. */
  async function submit(n: number, told: string, by: readonly [string, string] = ['acme', 'sponsor']) {
    const resource = { resourceType: 'AdverseEvent', actuality: 'actual', event: { text: told } };
    const parameter = [
      { name: 'request', valueString: JSON.stringify({ event: 'E1', n }) },
      { name: 'report', resource },
    ];
    return gateways.ask(...by, 'POST', `${STUDY}/$submit-event`, { resourceType: 'Parameters', parameter });
  }
  const statesOf = (view: TrialView) =>
    dueList(view, new Date(world.ledger.clockMs).toISOString())
      .filter(({ event, to }) => event === 'E1' && to === 'regulator')
      .map(({ state }) => state);

  it('are acknowledged by the sponsor on the ledger once it has their content', async () => {
    const { acknowledgements } = await world.view();
    assert.deepEqual(
      acknowledgements.map(({ event, n, by }) => `${event} ${n} ${by.member} ${by.role}`),
      ['E1 1 acme admin', 'E1 2 acme admin'],
    );
  });

  it('come to the regulator through its door, and count as reported once its gateway acknowledged them', async () => {
    assert.equal((await submit(2, 'by nobody', ['stmary', 'investigator'])).status, 403);
    assert.equal((await submit(9, 'of nothing')).status, 404);
    gateways.away.add('authority');
    const { status, resource } = await submit(2, 'shock, suspected');
    assert.equal(status, 200, JSON.stringify(resource));
    assert.match(JSON.stringify(resource), /"handedOver","valueBoolean":false/);
    assert.deepEqual(statesOf(await world.view()), ['sent']);
    assert.match(JSON.stringify(resourcesIn(await search('authority', 'regulator'))), /1 contents .* not kept here/);
    gateways.away.delete('authority');
    await gateways.goOn(() => gateways.promised.size === 0, 'acme');
    assert.deepEqual(statesOf(await world.view()), ['in-time']);
    const [report, ...more] = resourcesIn(await search('authority', 'regulator'));
    assert.deepEqual([/shock, suspected/.test(JSON.stringify(report)), more], [true, []]);
    assert.deepEqual(validationIssues(report!), []);
    const { acknowledgements, submissions } = await world.view();
    const { id, ...plain } = report!;
    assert.ok(id);
    assert.deepEqual(
      [commitmentOf(plain)],
      submissions.map(({ commitment }) => commitment),
    );
    const last = acknowledgements.find(({ by }) => by.member === 'authority');
    assert.deepEqual([last?.event, last?.n, last?.by.role], ['E1', 2, 'admin']);
    assert.equal(resourcesIn(await search('acme', 'sponsor')).length, 4, 'three of the site, one of its own');
    assert.equal((await search('tally', 'board')).status, 403);
  });

  it('are taken by the regulator from the sponsor alone, as committed to, and acknowledged once', async () => {
    const [report] = resourcesIn(await search('authority', 'regulator'));
    const { id, ...resource } = report!;
    assert.ok(id);
    const words = { trial: TRIAL, participant: 'P1', resource };
    assert.ok(await gateways.knock('acme', 'authority', words));
    assert.equal((await world.view()).acknowledgements.filter(({ by }) => by.member === 'authority').length, 1);
    assert.equal(await gateways.knock('stmary', 'authority', words), undefined);
    const bent = { ...words, resource: { ...resource, actuality: 'potential' } };
    assert.equal(await gateways.knock('acme', 'authority', bent), undefined);
    const [ofSite] = resourcesIn(await search('stmary', 'investigator'));
    const { id: another, ...content } = ofSite!;
    assert.ok(another);
    assert.equal(await gateways.knock('acme', 'authority', { ...words, resource: content }), undefined);
  }).timeout(30_000);

  it('are in the package of the regulator, each proven by what the ledger commits to', async () => {
    const answer = await gateways.ask('authority', 'regulator', 'GET', `${STUDY}/$package`);
    const found = packageIn(JSON.stringify(answer.resource));
    assert.equal(found?.contents?.length, 1);
    assert.deepEqual(checkContents(recordsIn(found), found.contents).findings, []);
    const bent = found.contents.map((each) => ({ ...each, actuality: 'potential' }));
    assert.match(checkContents(recordsIn(found), bent).findings.join(), /urn:salus:safety-report .*E1\/2/);
  });
});
