import assert from 'node:assert/strict';
import type { JsonObject } from '@salus/gateway/fhir/json';
import { validationIssues } from '@salus/gateway/fhir/validate';
import { commitmentOf } from '@salus/gateway/trial/content';
import { random } from '../support/contract-world.js';
import { Gateways, resourcesIn } from './ledger-double.js';
import { protocol, TRIAL, TrialWorld } from './world.js';

const STUDY = `ResearchStudy/${TRIAL}`;

/** What a coordinator fills in. */
function answered(value: string): object {
  const item = [{ linkId: 'systolic', answer: [{ valueString: value }] }];
  return { resourceType: 'QuestionnaireResponse', status: 'completed', item: [{ linkId: 'vitals', item }] };
}

describe('data of a trial', function () {
  this.timeout(60_000);
  let world: TrialWorld;
  let gateways: Gateways;

  async function enter(n: number, value: string, more: object = {}) {
    const { kid } = await world.delegate('stmary', 'coordinator');
    const texts = { participant: 'P1', visit: 'v1', form: 'vitals', delegate: kid, reason: 'mistyped', ...more };
    const parameter = [
      ...Object.entries(texts).map(([name, valueString]) => ({ name, valueString })),
      { name: 'n', valueInteger: n },
      { name: 'consent', valueInteger: 1 },
      { name: 'response', resource: answered(value) },
    ];
    return gateways.ask('stmary', 'coordinator', 'POST', `${STUDY}/$enter`, { resourceType: 'Parameters', parameter });
  }

  const search = (member: string, role: string, type: string) =>
    gateways.ask(member, role, 'GET', `${type}?study=${STUDY}&participant=P1`);

  before(async () => {
    world = await TrialWorld.enrolling(8, protocol({ criteria: [] }));
    gateways = new Gateways(world);
    await world.enrolled('P1', 'stmary', 's1', 1);
  });

  it('lies at the site and, handed over, at the sponsor; the ledger has a commitment that nobody can guess', async () => {
    const { status, resource } = await enter(1, '128');
    assert.equal(status, 200, JSON.stringify(resource));
    assert.match(JSON.stringify(resource), /"handedOver","valueBoolean":true/);
    const [content] = resourcesIn(await search('acme', 'monitor', 'QuestionnaireResponse'));
    assert.match(JSON.stringify(content), /"128"/);
    assert.deepEqual(resourcesIn(await search('stmary', 'investigator', 'QuestionnaireResponse')), [content]);
    const { id, ...plain } = content!;
    assert.equal(typeof id, 'string');
    const commitment = [...gateways.kept.keys()][0]?.split(' ')[1];
    assert.equal(commitmentOf(plain), commitment);
    assert.deepEqual(validationIssues(content!), []);
    const guessed = { ...plain, extension: [] } as JsonObject;
    assert.notEqual(commitmentOf(guessed), commitment);
    const said = world.ledger.outcomes.map(({ outcome: { rwset } }) =>
      [...rwset.writes.values()].flatMap((writes) => [...writes.values()].map(String)).join(),
    );
    assert.ok(said.some((text) => text.includes(String(commitment))));
    assert.ok(!said.some((text) => text.includes('"128"')), 'content lies on the ledger in clear');
  });

  it('is shown to nobody else', async () => {
    for (const [member, role] of [
      ['northside', 'investigator'],
      ['tally', 'cro'],
      ['acme', 'investigator'],
      ['stmary', 'nurse'],
    ] as const) {
      assert.equal((await search(member, role, 'QuestionnaireResponse')).status, 403, `${role} of ${member}`);
      assert.equal(
        (await gateways.ask(member, role, 'GET', `${STUDY}/$dataset?name=QS`)).status % 200,
        member === 'northside' ? 0 : 3,
      );
    }
  });

  it('is kept nowhere when the contract refuses it, and is taken by the sponsor from the site alone, as committed', async () => {
    const before = gateways.kept.size;
    assert.equal((await enter(1, '190')).status, 409);
    assert.equal((await enter(1, '190', { form: 'mood' })).status, 400);
    const [content] = resourcesIn(await search('stmary', 'investigator', 'QuestionnaireResponse'));
    const { id, ...resource } = content!;
    assert.ok(id);
    const words = { trial: TRIAL, participant: 'P1', resource };
    assert.equal(await gateways.knock('northside', 'acme', words), undefined);
    assert.equal(await gateways.knock('stmary', 'tally', words), undefined);
    assert.equal(await gateways.knock('stmary', 'acme', { ...words, trial: 'NONE' }), undefined);
    assert.equal(await gateways.knock('stmary', 'acme', {}), undefined);
    assert.equal(gateways.kept.size, before);
    assert.ok(await gateways.knock('stmary', 'acme', words));
    assert.equal(gateways.kept.size, before);
  });

  it('shows the gap while the sponsor lacks a content, and is handed over again', async () => {
    gateways.away.add('acme');
    const { resource } = await enter(2, '182');
    assert.match(JSON.stringify(resource), /"handedOver","valueBoolean":false/);
    const gap = resourcesIn(await search('acme', 'sponsor', 'QuestionnaireResponse'));
    assert.match(JSON.stringify(gap.at(-1)), /1 contents of this participant are committed to and not kept here/);
    gateways.away.delete('acme');
    const body = { resourceType: 'Parameters', parameter: [{ name: 'participant', valueString: 'P1' }] };
    const again = await gateways.ask('stmary', 'coordinator', 'POST', `${STUDY}/$hand-over`, body);
    assert.match(JSON.stringify(again.resource), /"taken","valueInteger":2.*"missing","valueInteger":0/);
    const both = resourcesIn(await search('acme', 'sponsor', 'QuestionnaireResponse'));
    assert.deepEqual(
      both.map(({ resourceType }) => resourceType),
      ['QuestionnaireResponse', 'QuestionnaireResponse'],
    );
  });

  it('is exported as Dataset-JSON: answers old and new, the audit trail, participants without arms', async () => {
    const dataset = async (name: string, member = 'acme', role = 'sponsor') => {
      const { resource } = await gateways.ask(member, role, 'GET', `${STUDY}/$dataset?name=${name}`);
      const [{ valueString = '' } = {}] = (resource as { parameter?: { valueString?: string }[] }).parameter ?? [];
      const found = JSON.parse(valueString) as { records: number; columns: { name: string }[]; rows: unknown[][] };
      assert.equal(found.records, found.rows.length);
      for (const row of found.rows) assert.equal(row.length, found.columns.length);
      const names = found.columns.map((column) => column.name);
      return found.rows.map((row) => Object.fromEntries(names.map((column, index) => [column, row[index]])));
    };
    assert.deepEqual(
      (await dataset('QS')).map(({ QSTESTCD, QSORRES, SEQ }) => [QSTESTCD, QSORRES, SEQ]),
      [
        ['systolic', '128', 1],
        ['systolic', '182', 2],
      ],
    );
    const trail = await dataset('AUDIT', 'authority', 'regulator');
    assert.deepEqual(
      trail.map(({ ACT, REASON, MEMBER, ROLE }) => [ACT, REASON, MEMBER, ROLE]),
      [
        ['enter', null, 'stmary', 'coordinator'],
        ['correct', 'mistyped', 'stmary', 'coordinator'],
      ],
    );
    const people = await dataset('DM');
    assert.deepEqual([people.length, people[0]?.['USUBJID'], people[0]?.['ARMCD']], [1, 'P1', null]);
    assert.deepEqual(await dataset('AE'), []);
    assert.equal((await gateways.ask('acme', 'sponsor', 'GET', `${STUDY}/$dataset?name=XX`)).status, 400);
  });

  it('is shown in FHIR by anybody as far as it is public: consents, provenance with what was revised, audit events', async () => {
    const [consent] = resourcesIn(await search('authority', 'regulator', 'Consent'));
    assert.equal(consent?.status, 'active');
    assert.deepEqual(validationIssues(consent), []);
    const [, first, second] = resourcesIn(await search('authority', 'regulator', 'Provenance'));
    assert.match(JSON.stringify(second), /"code":"correct".*"text":"mistyped".*"role":"revision"/);
    const target = JSON.stringify((first?.target as unknown[])[0]);
    assert.ok(JSON.stringify(second?.entity).includes(target), 'the second revises what the first is about');
    const audit = await gateways.ask('authority', 'regulator', 'GET', `AuditEvent?study=${STUDY}`);
    assert.match(JSON.stringify(audit.resource), /"code":"first-enrolment"/);
    for (const each of [first!, second!, ...resourcesIn(audit)]) assert.deepEqual(validationIssues(each), []);
    const nobody = await gateways.ask('authority', 'regulator', 'GET', `Consent?study=${STUDY}`);
    assert.equal(nobody.status, 400);
  });

  it('stands beside what was signed of the whole trial, each with its meaning, the key, and the statement itself', async () => {
    const found = resourcesIn(await gateways.ask('authority', 'regulator', 'GET', `Provenance?study=${STUDY}`));
    for (const each of found) assert.deepEqual(validationIssues(each), []);
    const signed = found.map((each) => {
      const { activity, signature } = each as unknown as {
        readonly activity: { readonly coding: readonly [{ readonly code: string }] };
        readonly signature: readonly [
          { readonly who: { readonly identifier: { readonly value: string } }; data: string },
        ];
      };
      const [{ who, data }] = signature;
      const payload = Buffer.from(Buffer.from(data, 'base64').toString().split('.')[1]!, 'base64url').toString();
      assert.match(payload, new RegExp(`"meaning":"${activity.coding[0].code}"`));
      return `${activity.coding[0].code} ${who.identifier.value}`;
    });
    assert.deepEqual([...new Set(signed)].sort(), [
      'adopt-document authority.ethics',
      'approve-list authority.regulator',
      'approve-version authority.ethics',
      'approve-version authority.regulator',
      'sign-version acme.sponsor',
    ]);
  });

  it('is gone on with after a kill before any of its steps: one copy, one act, and the sponsor has it', async () => {
    await gateways.goOn(() => gateways.promised.size === 0);
    let n = 2;
    for (const step of ['copy', 'act', 'knock'] as const) {
      const before = gateways.kept.size;
      gateways.killedBefore = step;
      n += 1;
      await enter(n, `13${n}`);
      gateways.killedBefore = undefined;
      assert.equal(gateways.promised.size, 1, step);
      await gateways.goOn(() => gateways.promised.size === 0);
      assert.equal(gateways.kept.size, before + 2, `${step}: at the site and at the sponsor, once each`);
      const contents = resourcesIn(await search('acme', 'sponsor', 'QuestionnaireResponse'));
      assert.deepEqual([contents.length, contents.at(-1)?.resourceType], [n, 'QuestionnaireResponse'], step);
      assert.match(JSON.stringify(contents.at(-1)), new RegExp(`"13${n}"`));
    }
  });

  it('is gone on with only as far as it is still allowed: what somebody else was faster with is kept nowhere', async () => {
    const before = gateways.kept.size;
    gateways.killedBefore = 'copy';
    await enter(6, 'lost');
    gateways.killedBefore = undefined;
    const about = { participant: 'P1', n: 6, act: 'correct', commitment: random(), reason: 'faster' };
    await world.point('stmary', 'coordinator', about);
    await gateways.goOn(() => gateways.promised.size === 0);
    assert.equal(gateways.kept.size, before);
  });

  it('is not gone on with where the record of the patient was erased meanwhile', async () => {
    const before = gateways.kept.size;
    gateways.facts.set(`stmary subject/${TRIAL}/P1`, 'ann');
    gateways.killedBefore = 'copy';
    await enter(7, 'erased');
    gateways.killedBefore = undefined;
    gateways.facts.delete(`stmary subject/${TRIAL}/P1`);
    gateways.erased.add('ann');
    await gateways.goOn(() => gateways.promised.size === 0);
    assert.equal(gateways.kept.size, before);
    assert.ok(![...gateways.facts.values()].some((text) => text.includes('"erased"')));
  });

  it('is handed over by itself once a sponsor that was away is back', async () => {
    gateways.away.add('acme');
    assert.match(JSON.stringify((await enter(7, '137')).resource), /"handedOver","valueBoolean":false/);
    await gateways.goOn(() => [...gateways.promised.values()].every((text) => !text.includes('"137"')));
    gateways.away.delete('acme');
    await gateways.goOn(() => gateways.promised.size === 0);
    assert.match(JSON.stringify(resourcesIn(await search('acme', 'sponsor', 'QuestionnaireResponse'))), /"137"/);
  });

  it('is shown to nobody any more, and handed over no further, once the participant wants no further use', async () => {
    const says = { participant: 'P1', n: 2, withdrawn: 'use-no-data' };
    const statement = world.patients.get('P1')!.sign({ channel: 'health', trial: TRIAL, ...says });
    const status = async () => {
      const found = await gateways.ask('authority', 'regulator', 'GET', `ResearchSubject?study=${STUDY}`);
      return resourcesIn(found).map((subject) => subject.status);
    };
    assert.deepEqual(await status(), ['on-study']);
    gateways.away.add('acme');
    assert.match(JSON.stringify((await enter(8, '138')).resource), /"handedOver","valueBoolean":false/);
    const kept = gateways.kept.size;
    await world.act('stmary', 'patient', 'withdraw', { ...says, statement });
    gateways.away.delete('acme');
    await gateways.goOn(() => gateways.promised.size === 0);
    const [own] = [...gateways.kept].filter(([name, text]) => name.startsWith('stmary ') && text.includes('"138"'));
    const words = { trial: TRIAL, participant: 'P1', resource: JSON.parse(own![1]) as object };
    assert.equal(await gateways.knock('stmary', 'acme', words), undefined, 'nor taken, whoever brings it');
    assert.deepEqual(await status(), ['withdrawn']);
    for (const [member, role] of [
      ['acme', 'sponsor'],
      ['stmary', 'investigator'],
    ] as const) {
      const [said, ...more] = resourcesIn(await search(member, role, 'QuestionnaireResponse'));
      assert.match(JSON.stringify(said), /"code":"suppressed"/);
      assert.deepEqual(more, [], member);
      const { resource } = await gateways.ask(member, role, 'GET', `${STUDY}/$dataset?name=QS`);
      assert.match(JSON.stringify(resource), /\\"records\\":0/);
    }
    const body = { resourceType: 'Parameters', parameter: [{ name: 'participant', valueString: 'P1' }] };
    const again = await gateways.ask('stmary', 'coordinator', 'POST', `${STUDY}/$hand-over`, body);
    assert.deepEqual([again.status, JSON.stringify(again.resource).includes('consent-withdrawn')], [409, true]);
    assert.equal(gateways.kept.size, kept, 'what was collected stays, as the law on trials asks');
  });
});
