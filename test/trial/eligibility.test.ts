import assert from 'node:assert/strict';
import type { JsonObject } from '@salus/gateway/fhir/json';
import { validationIssues } from '@salus/gateway/fhir/validate';
import { commitmentOf } from '@salus/gateway/trial/content';
import { datasetOf } from '@salus/gateway/trial/datasets';
import { commitmentsOf } from '@salus/gateway/trial/hand-over';
import { packageIn, recordsIn, type TrialPackage } from '@salus/gateway/trial/package';
import { checkContents } from '@salus/gateway/trial/verify-contents';
import { Gateways, resourcesIn } from './ledger-double.js';
import { protocol, TRIAL, TrialWorld } from './world.js';

const STUDY = `ResearchStudy/${TRIAL}`;
const met = [
  { linkId: 'adult', answer: [{ valueBoolean: true }] },
  { linkId: 'diabetes', answer: [{ valueString: 'since 2019' }] },
];

describe('eligibility, criterion by criterion', function () {
  this.timeout(60_000);
  let world: TrialWorld;
  let gateways: Gateways;

  function declare(participant: string, item: readonly object[] = met, [member, role] = ['stmary', 'investigator']) {
    const resource = { resourceType: 'QuestionnaireResponse', status: 'completed', item };
    const parameter = [
      { name: 'participant', valueString: participant },
      { name: 'answers', resource },
    ];
    const body = { resourceType: 'Parameters', parameter };
    return gateways.ask(member, role, 'POST', `${STUDY}/$declare-eligible`, body);
  }
  const consented = async (participant: string) =>
    world.act('stmary', 'investigator', 'consent', await world.consentOf(participant, 'stmary'));
  const search = (participant: string, member: string, role: string) =>
    gateways.ask(member, role, 'GET', `QuestionnaireResponse?study=${STUDY}&participant=${participant}`);
  const bare = ({ id, ...resource }: JsonObject): JsonObject => (assert.ok(id), resource);

  async function packaged(member: string, role: string): Promise<TrialPackage> {
    const { resource } = await gateways.ask(member, role, 'GET', `${STUDY}/$package`);
    return packageIn(JSON.stringify(resource)) ?? assert.fail('no package');
  }

  before(async () => {
    world = await TrialWorld.enrolling();
    gateways = new Gateways(world);
    await consented('P1');
  });

  it('is kept at the site and handed over, each answer under a commitment of its own, before anybody is enrolled', async () => {
    const { status, resource } = await declare('P1');
    assert.equal(status, 200, JSON.stringify(resource));
    assert.match(JSON.stringify(resource), /"handedOver","valueBoolean":true/);
    const found = resourcesIn(await search('P1', 'stmary', 'investigator'));
    assert.deepEqual(resourcesIn(await search('P1', 'acme', 'monitor')), found);
    assert.deepEqual(
      found.map(({ item }) => item),
      met.map((each) => [each]),
    );
    for (const each of found) assert.deepEqual(validationIssues(each), []);
    const call = { args: [JSON.stringify({ trial: TRIAL, participant: 'P1' })] };
    const { eligibility } = JSON.parse((await world.ledger.evaluate('acme', 'trial:line', call)).payload) as {
      eligibility: { criteria: { id: string; commitment: string }[] }[];
    };
    assert.deepEqual(
      eligibility[0]?.criteria,
      found.map((each, index) => ({ id: met[index]!.linkId, commitment: commitmentOf(bare(each)) })),
    );
    const written = world.ledger.outcomes.flatMap(({ outcome }) => [...outcome.rwset.writes.values()]);
    assert.ok(!written.some((writes) => [...writes.values()].join().includes('since 2019')), 'in clear on the ledger');
  });

  it('is shown to nobody else', async () => {
    for (const [member, role] of [
      ['northside', 'investigator'],
      ['tally', 'cro'],
      ['authority', 'regulator'],
      ['stmary', 'nurse'],
    ] as const) {
      assert.equal((await search('P1', member, role)).status, 403, `${role} of ${member}`);
    }
  });

  it('is kept nowhere where an answer is missing, a criterion left out, or the participant did not consent there', async () => {
    const before = gateways.kept.size;
    const code = async (...asked: Parameters<typeof declare>): Promise<string> => {
      const { status, resource } = await declare(...asked);
      const { issue } = resource as { issue: { code: string; details?: { coding: { code: string }[] } }[] };
      return `${status} ${issue[0]?.details?.coding[0]?.code ?? issue[0]?.code}`;
    };
    await consented('P2');
    assert.match(await code('P2', [{ linkId: 'adult' }, met[1]!]), /^422 /);
    assert.equal(await code('P2', []), '400 structure');
    assert.equal(await code('P2', met.slice(1)), '409 not-eligible');
    assert.equal(await code('P2', met.toReversed()), '409 not-eligible');
    assert.equal(await code('P1'), '409 already-declared');
    assert.equal(await code('P3'), '409 no-consent');
    assert.equal(await code('P2', met, ['northside', 'investigator']), '403 not-your-participant');
    assert.equal(await code('P2', met, ['stmary', 'coordinator']), '403 not-your-role');
    assert.equal(gateways.kept.size, before);
  });

  it('is taken by the sponsor from the site that declared it alone, as committed to', async () => {
    const [content] = resourcesIn(await search('P1', 'stmary', 'investigator'));
    const words = { trial: TRIAL, participant: 'P1', resource: bare(content!) };
    assert.ok(await gateways.knock('stmary', 'acme', words));
    assert.equal(await gateways.knock('northside', 'acme', words), undefined);
    const bent = { ...words.resource, status: 'amended' };
    assert.equal(await gateways.knock('stmary', 'acme', { ...words, resource: bent }), undefined);
  }).timeout(30_000);

  it('is gone on with after a kill before any of its steps', async () => {
    for (const [index, step] of (['copy', 'act', 'knock'] as const).entries()) {
      const [participant, before] = [`K${index}`, gateways.kept.size];
      await consented(participant);
      gateways.killedBefore = step;
      await declare(participant);
      gateways.killedBefore = undefined;
      assert.equal(gateways.promised.size, 1, step);
      await gateways.goOn(() => gateways.promised.size === 0);
      assert.equal(gateways.kept.size, before + 4, `${step}: two answers at the site and at the sponsor, once each`);
      assert.equal(resourcesIn(await search(participant, 'acme', 'sponsor')).length, 2, step);
    }
  });

  it('keeps the declaration that decided an enrolment when one by a newer version follows', async () => {
    const other = await TrialWorld.enrolling();
    await other.enrolled('P1', 'stmary', 's1', 1);
    const { hash: previous } = await other.newest();
    const amendment = { version: 2, previous, protocol: protocol({ sampleSize: 400 }), reason: 'fewer' };
    await other.act('acme', 'sponsor', 'register-version', amendment);
    await other.activated(2);
    const again = { participant: 'P1', criteria: other.answers() };
    await other.act('stmary', 'investigator', 'declare-eligible', again);
    await other.refused('already-declared', 'stmary', 'investigator', 'declare-eligible', again);
    const line = await other.line('P1');
    assert.deepEqual(
      line.eligibility.map(({ version }) => version),
      [1, 2],
    );
    assert.equal(commitmentsOf(line).length, 4);
    const view = await other.view();
    const found = {
      v: 1,
      kind: 'trial',
      trial: TRIAL,
      at: '',
      view,
      kits: [],
      lines: [['P1', line] as const],
    } as const;
    const keys = [...recordsIn(found).keys()].filter((name) => name.startsWith('trial-eligible/'));
    assert.deepEqual(
      keys,
      ['000001', '000002'].map((n) => `trial-eligible/${TRIAL}/P1/${n}`),
    );
    const content = () => ({ item: [{ linkId: 'adult', answer: [{ valueBoolean: true }] }] }) as unknown as JsonObject;
    const { rows } = datasetOf('IE', { view, lines: found.lines, content }, '') as { rows: unknown[][] };
    assert.deepEqual(
      rows.map((row) => row[5]),
      [1, 1, 2, 2],
    );
  });

  it('is exported, and proven offline in the package of who may read it; a bent or a moved answer is found out', async () => {
    const claim = world.hidden('investigator', { participant: 'P1', hmacs: ['d'.repeat(64)], salt: 'e'.repeat(64) });
    await world.ledger.submit('stmary', 'trial:claim', claim);
    const enrol = { participant: 'P1', stratum: 's1', slot: 1, consent: 1 };
    await world.act('stmary', 'investigator', 'enrol', enrol);
    const { resource } = await gateways.ask('acme', 'sponsor', 'GET', `${STUDY}/$dataset?name=IE`);
    const [{ valueString }] = (resource as { parameter: [{ valueString: string }] }).parameter;
    const { rows } = JSON.parse(valueString) as { rows: unknown[][] };
    assert.deepEqual(
      rows.map((row) => row.slice(1, 4)),
      [
        ['P1', 'adult', 'true'],
        ['P1', 'diabetes', 'since 2019'],
      ],
    );
    assert.equal((await gateways.ask('tally', 'cro', 'GET', `${STUDY}/$dataset?name=IE`)).status, 403);
    const found = await packaged('acme', 'sponsor');
    const [first, second] = found.contents ?? [];
    const check = (...contents: readonly JsonObject[]) => checkContents(recordsIn(found), contents);
    assert.deepEqual(check(first!, second!), { findings: [], committed: 2 });
    const lie = { ...first!, item: [{ ...met[0], answer: [{ valueBoolean: false }] }] };
    assert.match(check(lie).findings.join(), /eligibility-criterion TRIAL-1\/P1\/adult/);
    assert.equal(check({ ...first!, identifier: second!.identifier }).findings.length, 1);
    assert.equal((await packaged('stmary', 'investigator')).contents?.length, 2);
    for (const [member, role] of [
      ['authority', 'regulator'],
      ['northside', 'investigator'],
      ['acme', 'supply-operator'],
    ] as const) {
      assert.equal((await packaged(member, role)).contents, undefined, `${role} of ${member}`);
    }
  });

  it('is shown and packed no more once the participant wants no further use', async () => {
    const says = { participant: 'P1', n: 2, withdrawn: 'use-no-data' };
    const statement = world.patients.get('P1')!.sign({ channel: 'health', trial: TRIAL, ...says });
    await world.act('stmary', 'patient', 'withdraw', { ...says, statement });
    const [said, ...more] = resourcesIn(await search('P1', 'acme', 'sponsor'));
    assert.deepEqual([JSON.stringify(said).includes('"suppressed"'), more], [true, []]);
    assert.deepEqual((await packaged('acme', 'sponsor')).contents, []);
  });
});
