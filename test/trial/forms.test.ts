import assert from 'node:assert/strict';
import type { JsonObject } from '@salus/gateway/fhir/json';
import { validationIssues } from '@salus/gateway/fhir/validate';
import { FORM_PATH, formHash, formUrl } from '@salus/gateway/trial/forms';
import { exportUsdm } from '@salus/gateway/trial/usdm-export';
import { Gateways, resourcesIn } from './ledger-double.js';
import { parties, protocol, TRIAL, TrialWorld } from './world.js';

const STUDY = `ResearchStudy/${TRIAL}`;
const MAX_VALUE = 'http://hl7.org/fhir/StructureDefinition/maxValue';

/** A form that asks for a blood pressure of at most so much. */
const vitals = (most: number): JsonObject => ({
  resourceType: 'Questionnaire',
  status: 'active',
  item: [
    { linkId: 'systolic', type: 'integer', required: true, extension: [{ url: MAX_VALUE, valueInteger: most }] },
    { linkId: 'lot', type: 'choice', answerOption: [{ valueString: 'left' }] },
  ],
});

const parametersOf = (parameter: readonly object[]) => ({ resourceType: 'Parameters', parameter });
const form = (id: string, resource: object) => {
  return {
    name: 'form',
    part: [
      { name: 'id', valueString: id },
      { name: 'questionnaire', resource },
    ],
  };
};

describe('case report forms of a trial', function () {
  this.timeout(60_000);
  let world: TrialWorld;
  let gateways: Gateways;

  async function enter(form: string, item: readonly object[], n = 1) {
    const { kid } = await world.delegate('stmary', 'coordinator');
    const texts = Object.entries({ participant: 'P1', visit: 'v1', form, delegate: kid, reason: 'mistyped' });
    const numbers = Object.entries({ n, consent: 1 });
    const response = { resourceType: 'QuestionnaireResponse', status: 'completed', item };
    const parameter = [
      ...texts.map(([name, valueString]) => ({ name, valueString })),
      ...numbers.map(([name, valueInteger]) => ({ name, valueInteger })),
      { name: 'response', resource: response },
    ];
    return gateways.ask('stmary', 'coordinator', 'POST', `${STUDY}/$enter`, parametersOf(parameter));
  }
  const pressure = (valueInteger: number) => [{ linkId: 'systolic', answer: [{ valueInteger }] }];

  function imported(forms: readonly object[], version: object): ReturnType<Gateways['ask']> {
    const texts = Object.entries({
      trial: TRIAL,
      usdm: JSON.stringify(version),
      allocator: parties.allocator,
      board: parties.board,
    });
    const lists = { ethics: parties.ethics, regulator: parties.regulators, site: parties.sites, stratum: ['s1', 's2'] };
    const all = [
      ...texts,
      ...Object.entries(lists).flatMap(([name, values]) => values.map((each) => [name, each] as const)),
    ];
    const parameter = [...all.map(([name, valueString]) => ({ name, valueString })), ...forms];
    return gateways.ask('acme', 'sponsor', 'POST', 'ResearchStudy/$usdm-import', parametersOf(parameter));
  }
  const usdm = (change: object = {}) => exportUsdm(TRIAL, [{ version: 1, protocol: protocol(change) }]);

  before(async () => {
    world = await TrialWorld.founded();
    gateways = new Gateways(world);
  });

  it('stand in the protocol by their hashes, each once and in the schedule; the sponsor keeps them', async () => {
    for (const forms of [
      [form('mood', vitals(250))],
      [form('vitals', { ...vitals(250), item: [{ linkId: 'q', type: 'choice', answerValueSet: 'urn:x' }] })],
    ]) {
      assert.ok((await imported(forms, usdm())).status >= 400);
    }
    assert.equal((await imported([form('vitals', vitals(250))], usdm())).status, 200);
    const { protocol: registered } = await world.newest();
    assert.deepEqual(registered.forms, [{ id: 'vitals', questionnaire: formHash(vitals(250)) }]);
    const [kept] = resourcesIn(await gateways.ask('acme', 'monitor', 'GET', `Questionnaire?study=${STUDY}`));
    assert.deepEqual(kept, { ...vitals(250), id: formHash(vitals(250)) });
    assert.deepEqual(validationIssues(kept), []);
    const plan = await gateways.ask('authority', 'regulator', 'GET', `PlanDefinition/${TRIAL}`);
    assert.ok(JSON.stringify(plan.resource).includes(formUrl(formHash(vitals(250)))));
  });

  it('are the same in the file that is exported', async () => {
    const { resource } = await gateways.ask('acme', 'sponsor', 'GET', `${STUDY}/$usdm-export`);
    const [{ valueString = '' } = {}] = (resource as { parameter?: { valueString?: string }[] }).parameter ?? [];
    assert.ok(valueString.includes(formHash(vitals(250))));
    assert.match(JSON.stringify((await imported([], JSON.parse(valueString) as object)).resource), /"valueInteger":1/);
    assert.deepEqual((await world.newest()).protocol.forms, [{ id: 'vitals', questionnaire: formHash(vitals(250)) }]);
  });

  it('are asked of the sponsor by a site that lacks them, and not entered without', async () => {
    await world.listed();
    await world.activated(2);
    await world.document(1);
    await world.enrolled('P1', 'stmary', 's1', 1);
    gateways.away.add('acme');
    const missing = await enter('vitals', pressure(120));
    assert.deepEqual([missing.status, JSON.stringify(missing.resource).includes('form-missing')], [503, true]);
    gateways.away.delete('acme');
    const taken = await enter('vitals', pressure(120));
    assert.equal(taken.status, 200, JSON.stringify(taken.resource));
    const [content] = resourcesIn(
      await gateways.ask('acme', 'monitor', 'GET', `QuestionnaireResponse?study=${STUDY}&participant=P1`),
    );
    assert.equal(content?.questionnaire, formUrl(formHash(vitals(250))));
    gateways.away.add('acme');
    assert.equal((await enter('vitals', pressure(121), 2)).status, 200, 'it is kept at the site now');
    gateways.away.delete('acme');
  });

  it('refuse answers that they do not allow, and keep nothing of them; a form without a questionnaire takes any', async () => {
    const before = gateways.kept.size;
    for (const item of [
      pressure(251),
      [],
      [{ linkId: 'pulse', answer: [{ valueInteger: 60 }] }],
      [...pressure(120), { linkId: 'lot', answer: [{ valueString: 'right' }] }],
    ]) {
      const refused = await enter('vitals', item, 3);
      assert.equal(refused.status, 422, JSON.stringify(item));
      assert.match(JSON.stringify(refused.resource), /"expression":\["QuestionnaireResponse.item/);
    }
    assert.equal(gateways.kept.size, before);
    assert.equal((await enter('labs', [{ linkId: 'anything', answer: [{ valueString: 'x' }] }])).status, 200);
  });

  it('are told at the door to sites, and to nobody else; what the door answers is checked', async () => {
    const words = { trial: TRIAL, hash: formHash(vitals(250)) };
    assert.ok(await gateways.knock('northside', 'acme', words, FORM_PATH));
    for (const [teller, asked] of [
      ['medisure', words],
      ['tally', words],
      ['northside', { ...words, hash: 'a'.repeat(64) }],
      ['northside', {}],
    ] as const) {
      assert.equal(await gateways.knock(teller, 'acme', asked, FORM_PATH), undefined, teller);
    }
    await world.enrolled('P2', 'northside', 's1', 2);
    gateways.facts.set(`acme form/${words.hash}`, JSON.stringify(vitals(999)));
    const { kid } = await world.delegate('northside', 'coordinator');
    const texts = Object.entries({ participant: 'P2', visit: 'v1', form: 'vitals', delegate: kid });
    const parameter = [
      ...texts.map(([name, valueString]) => ({ name, valueString })),
      ...['n', 'consent'].map((name) => ({ name, valueInteger: 1 })),
      {
        name: 'response',
        resource: { resourceType: 'QuestionnaireResponse', status: 'completed', item: pressure(900) },
      },
    ];
    const forged = await gateways.ask('northside', 'coordinator', 'POST', `${STUDY}/$enter`, parametersOf(parameter));
    assert.deepEqual([forged.status, JSON.stringify(forged.resource).includes('form-missing')], [503, true]);
    gateways.facts.set(`acme form/${words.hash}`, JSON.stringify(vitals(250)));
  });

  it('are brought and entered by staff of a site or of the sponsor alone', async () => {
    const body = parametersOf([{ name: 'questionnaire', resource: vitals(250) }]);
    for (const [member, role] of [
      ['stmary', 'auditor'],
      ['tally', 'cro'],
      ['authority', 'investigator'],
    ] as const) {
      assert.equal((await gateways.ask(member, role, 'POST', `${STUDY}/$form`, body)).status, 403, member);
    }
  });

  it('are kept where somebody brings them, if the protocol names them', async () => {
    const bring = (questionnaire: object) =>
      gateways.ask(
        'westgate',
        'coordinator',
        'POST',
        `${STUDY}/$form`,
        parametersOf([{ name: 'questionnaire', resource: questionnaire }]),
      );
    assert.equal((await bring(vitals(251))).status, 409);
    assert.equal((await bring({ resourceType: 'Patient' })).status, 400);
    const seen = async () =>
      resourcesIn(await gateways.ask('westgate', 'coordinator', 'GET', `Questionnaire?study=${STUDY}`));
    assert.match(JSON.stringify(await seen()), /1 questionnaires of this trial are not kept here/);
    assert.equal((await bring({ ...vitals(250), id: 'own', meta: { versionId: '3' } })).status, 200);
    assert.deepEqual(
      (await seen()).map(({ resourceType }) => resourceType),
      ['Questionnaire'],
    );
  });

  it('change by another version alone, which counts from when it is in force', async () => {
    assert.match(JSON.stringify((await imported([form('vitals', vitals(300))], usdm())).resource), /"valueInteger":1/);
    assert.equal((await enter('vitals', pressure(280), 3)).status, 422);
    await world.activated((await world.newest()).version);
    assert.equal((await enter('vitals', pressure(280), 3)).status, 200);
  });
});
