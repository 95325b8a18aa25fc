import assert from 'node:assert/strict';
import { validationIssues } from '@salus/gateway/fhir/validate';
import { commitmentOf } from '@salus/gateway/trial/content';
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
      ['authority', 'regulator'],
      ['stmary', 'nurse'],
    ] as const) {
      assert.equal((await search(member, role)).status, 403, `${role} of ${member}`);
      const [event] = resourcesIn(await search(member, role, ''));
      assert.equal(event?.resourceType, 'AdverseEvent');
      assert.doesNotMatch(JSON.stringify(event), /rash/);
    }
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
});
