import assert from 'node:assert/strict';
import { exactForm, parseExactly, type JsonObject } from '@salus/gateway/fhir/json';
import { canonicalForm } from '@salus/gateway/identity/statements';
import { commitmentOf } from '@salus/gateway/trial/content';
import { readLine } from '@salus/gateway/trial/reading';
import { Gateways, ledgerOf, resourcesIn } from './ledger-double.js';
import { protocol, seriousEvent, TRIAL, TrialWorld } from './world.js';

const STUDY = `ResearchStudy/${TRIAL}`;

describe('decimals of a trial', function () {
  this.timeout(60_000);
  let world: TrialWorld;
  let gateways: Gateways;

  const parametersOf = (texts: object, resource: object) => {
    const values = Object.entries(texts).map(([name, value]) => {
      return typeof value === 'number' ? { name, valueInteger: value } : { name, valueString: String(value) };
    });
    return { resourceType: 'Parameters', parameter: [...values, resource] };
  };
  async function enter(n: number, decimal: string) {
    const { kid } = await world.delegate('stmary', 'coordinator');
    const texts = { participant: 'P1', visit: 'v1', form: 'vitals', delegate: kid, reason: 'mistyped', n, consent: 1 };
    const item = [{ linkId: 'lab', answer: [{ valueDecimal: JSON.rawJSON(decimal) }] }];
    const response = { resourceType: 'QuestionnaireResponse', status: 'completed', item };
    const body = parametersOf(texts, { name: 'response', resource: response });
    return gateways.ask('stmary', 'coordinator', 'POST', `${STUDY}/$enter`, body);
  }
  const decimalsIn = (contents: readonly JsonObject[]) => {
    return contents.map((content) => /"valueDecimal":([^}]*)/.exec(JSON.stringify(content))?.[1]);
  };
  const search = async (member: string, role: string) => {
    const path = `QuestionnaireResponse?study=${STUDY}&participant=P1`;
    return resourcesIn(await gateways.ask(member, role, 'GET', path));
  };

  before(async () => {
    world = await TrialWorld.enrolling(8, protocol({ criteria: [] }));
    gateways = new Gateways(world);
    await world.enrolled('P1', 'stmary', 's1', 1);
  });

  it('are kept, handed over, shown and exported digit by digit', async () => {
    const { status, resource } = await enter(1, '1.50');
    assert.equal(status, 200, JSON.stringify(resource));
    assert.match(JSON.stringify(resource), /"handedOver","valueBoolean":true/);
    for (const [member, role] of [
      ['stmary', 'investigator'],
      ['acme', 'monitor'],
    ] as const) {
      assert.deepEqual(decimalsIn(await search(member, role)), ['1.50'], member);
    }
    const { resource: answer } = await gateways.ask('acme', 'sponsor', 'GET', `${STUDY}/$dataset?name=QS`);
    assert.match(JSON.stringify(answer), /\\"1\.50\\"/);
  });

  it('are committed to so: other digits of the same number are another content, at the door too', async () => {
    const [found] = await search('stmary', 'investigator');
    const { id, ...content } = found!;
    assert.ok(id);
    const { points } = await readLine(ledgerOf(world, 'acme'), TRIAL, 'P1');
    assert.equal(commitmentOf(content), points[0]?.commitment);
    const other = parseExactly(JSON.stringify(content).replace('1.50', '1.5')) as JsonObject;
    assert.notEqual(commitmentOf(other), points[0]?.commitment);
    const words = { trial: TRIAL, participant: 'P1' };
    assert.equal(await gateways.knock('stmary', 'acme', { ...words, resource: other }), undefined);
    assert.ok(await gateways.knock('stmary', 'acme', { ...words, resource: content }));
  });

  it('are the same after a kill', async () => {
    gateways.killedBefore = 'copy';
    await enter(2, '0.10000000000000000001');
    gateways.killedBefore = undefined;
    await gateways.goOn(() => gateways.promised.size === 0);
    assert.deepEqual(decimalsIn(await search('acme', 'monitor')), ['1.50', '0.10000000000000000001']);
  });

  it('of adverse events too', async () => {
    const { commitment, ...graded } = seriousEvent('', { awareAt: new Date(world.ledger.clockMs).toISOString() });
    assert.equal(commitment, '');
    const url = 'urn:x:dose';
    const extension = [{ url, valueDecimal: JSON.rawJSON('2.0') }];
    const event = { resourceType: 'AdverseEvent', actuality: 'actual', extension };
    const body = parametersOf({ request: JSON.stringify(graded) }, { name: 'event', resource: event });
    const { status, resource } = await gateways.ask('stmary', 'investigator', 'POST', `${STUDY}/$report-event`, body);
    assert.equal(status, 200, JSON.stringify(resource));
    const path = `AdverseEvent?study=${STUDY}&participant=P1`;
    assert.deepEqual(decimalsIn(resourcesIn(await gateways.ask('acme', 'monitor', 'GET', path))), ['2.0']);
  });

  it('stand in a form that is the one of RFC 8785 where they have no other digits', () => {
    const value = { b: [1.5, 1e21, null, 'é\u2028'], a: { ä: true, Z: -0.001, 10: 'x', 9: [] }, gone: undefined };
    assert.equal(exactForm(value), canonicalForm(value));
    assert.equal(exactForm(parseExactly('{"b":1.50,"a":1.5}')), '{"a":1.5,"b":1.50}');
  });
});
