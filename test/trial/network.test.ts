import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Allotted, leafOf, type TrialView } from '@salus/chaincode/trial/api';
import { digest } from '@salus/chaincode/dist/lib/canonical.js';
import { merkleRoot } from '@salus/chaincode/dist/lib/merkle.js';
import { ARM_PATH } from '@salus/gateway/trial/arm';
import { compactDecrypt } from 'jose';
import { eventually } from '../support/eventually.js';
import { random } from '../support/contract-world.js';
import { type Answer, networkOfSuite } from '../support/network.js';
import { projectRoot, sharedOrPending } from '../support/shared.js';
import { SigningKey } from '../support/signing.js';
import { atDoor, atPeer } from './straight.js';
import { consentOf, eligibilityOf, valuesIn, text } from './network-study.js';
import { Signers } from './signers.js';
import { assertAllWhole, assertWhole, imported } from './studies.js';
import { TrialPackages } from './packages.js';
import { PrintedNames } from './printed.js';
import { reportedOnNetwork } from './reported.js';
import { listOf } from './world.js';

const NAME = 'ALXN-204';
const usdm = readFileSync(join(projectRoot, 'test/trial/data/alxn1840-wd-204.usdm.json'), 'utf8');

describe('a trial on the real processes, over HTTP', () => {
  const network = networkOfSuite();
  const packages = new TrialPackages(network, NAME);
  const names = new PrintedNames(network, NAME);
  let view: TrialView;
  let list: readonly Allotted[] = [];
  const investigator = new SigningKey('inv-1');

  async function post(member: string, role: string, operation: string, values: readonly object[]): Promise<Answer> {
    const token = await network.token({ member, user: `${role}-1`, role });
    const body = { resourceType: 'Parameters', parameter: values };
    return network.ask(member, `ResearchStudy/${operation}`, { token, body });
  }

  async function act(member: string, role: string, name: string, request: object): Promise<void> {
    const values = [{ name: 'request', valueString: JSON.stringify(request) }];
    const answer = await post(member, role, `${NAME}/$${name}`, values);
    assert.equal(answer.status, 200, `${name}: ${answer.text}`);
  }

  const signers = new Signers(NAME, act);

  async function patient(): Promise<string> {
    const token = await network.token({ member: 'stmary', role: 'investigator' });
    const identifier = [{ system: 'http://hl7.org/fhir/sid/us-ssn', value: '217-45-6001' }];
    const { status, text, body } = await network.ask('stmary', 'Patient', {
      token,
      body: { resourceType: 'Patient', identifier },
    });
    assert.equal(status, 201, text);
    return String(body.id);
  }

  async function look(member: string): Promise<TrialView> {
    return (await network.ask(member, `/trials/${NAME}`)).body as unknown as TrialView;
  }

  /** Another member's peer may be a block behind. */
  const shown = (member: string, phase: string): Promise<void> =>
    eventually(async () => {
      assert.equal((await look(member)).phase, phase);
    });

  it('is registered from USDM by the sponsor, and every member shows the same', async () => {
    const file = { trial: NAME, usdm };
    assert.equal((await imported(network, { ...file, member: 'stmary', role: 'investigator' })).status, 403);
    const answer = await imported(network, file);
    assert.deepEqual([answer.status, valuesIn(answer)['registered']], [200, 5], answer.text);
    view = await look('acme');
    assert.equal(view.versions.length, 5);
    assert.deepEqual((await look('medisure')).versions, view.versions);
    const { arms } = view.versions[4]!.protocol.allocation;
    const [first, second = first] = arms.map(({ code }) => code);
    list = listOf('all', 8, [first ?? '', second ?? '']);
  });

  it('is exported with all that its file said to who works in it, and as far as it is public to others', async () => {
    await assertWhole(network, NAME, usdm);
  });

  it('does so from every whole file of the shared data', async function () {
    await assertAllWhole(network, sharedOrPending(this, 'data/usdm'));
  });

  it('comes into force with list and approvals, and takes the documents of consent', async () => {
    const root = merkleRoot(list.map((slot) => leafOf(NAME, 'all', slot))).toString('hex');
    await act('tally', 'statistician', 'commit-list', { stratum: 'all', root, kits: list.map(({ kit }) => kit) });
    await act('tally', 'statistician', 'keep-arms', { stratum: 'all', slots: list });
    const { hash } = (await look('tally')).lists[0]!;
    await names.given(signers);
    await signers.approveList('all', hash);
    await signers.approve(5, view.versions[4]!.hash);
    await act('acme', 'sponsor', 'activate-version', { version: 5 });
    await shown('northside', 'active');
  });

  it('shows parties the printed names of who signed, asked of their doors, and verified in the package', async () => {
    await names.assertTold();
    names.assertSigned((await packages.verify((await packages.whole()).text)).said);
  });

  it("enrols behind the gate, by a claim in the hospitals' collection whose hash alone the public step reads", async () => {
    const translations = [{ language: 'en', hash: 'b'.repeat(64) }];
    await act('acme', 'sponsor', 'publish-document', { version: 1, translations, optionalParts: [] });
    const hash = digest({ trial: NAME, version: 1, translations, optionalParts: [] });
    await signers.does('authority', 'ethics', 'adopt-document', [{ version: 1, hash }]);
    await act('stmary', 'investigator', 'delegate', { role: 'investigator', jwk: investigator.jwk });
    const claimed = await post('stmary', 'investigator', `${NAME}/$claim`, [
      text('participant', 'P1'),
      text('patient', await patient()),
    ]);
    assert.equal(claimed.status, 200, claimed.text);
    await act('stmary', 'investigator', 'consent', consentOf(NAME, 'P1', investigator));
    const answers = eligibilityOf('P1', view.versions[4]!.protocol.criteria);
    const declared = await post('stmary', 'investigator', `${NAME}/$declare-eligible`, answers);
    assert.match(declared.text, /"handedOver","valueBoolean":true/);
    const asked = [text('participant', 'P1'), text('stratum', 'all'), { name: 'consent', valueInteger: 1 }];
    const answer = await post('stmary', 'coordinator', `${NAME}/$randomize`, asked);
    assert.equal(answer.status, 200, answer.text);
    assert.ok(answer.text.includes(list[0]!.kit));
    await shown('medisure', 'enrolling');
  });

  it('tells one arm to the one person on record, sealed, and sponsor and board that it was asked for', async () => {
    const place = { stratum: 'all', slot: 1 };
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { x = '', y = '' } = privateKey.export({ format: 'jwk' });
    const to = { kty: 'EC', crv: 'P-256', x, y, kid: 'seal' };
    const statement = investigator.sign({ channel: 'health', trial: NAME, ...place, meaning: 'tell-arm', to });
    const question = { trial: NAME, ...place, to, statement };
    assert.equal((await atDoor(network.stateDir, ['stmary', 'tally'], ARM_PATH, question)).status, 404);
    const said = { stratum: 'all', reason: 'overdose', delegate: 'inv-1', statement, key: JSON.stringify(to) };
    const values = Object.entries(said).map((each) => text(...each));
    const asked = [...values, { name: 'slot', valueInteger: 1 }];
    assert.equal((await post('acme', 'sponsor', `${NAME}/$unblind`, asked)).status, 403);
    for (const again of [false, true]) {
      const answer = await post('stmary', 'investigator', `${NAME}/$unblind`, asked);
      assert.equal(answer.status, 200, `${String(again)}: ${answer.text}`);
      const [{ valueString = '' } = {}] = answer.body['parameter'] as { valueString?: string }[];
      const { plaintext } = await compactDecrypt(valueString, privateKey);
      assert.equal((JSON.parse(Buffer.from(plaintext).toString()) as { arm: string }).arm.trim(), list[0]!.arm);
    }
    assert.equal((await atDoor(network.stateDir, ['acme', 'tally'], ARM_PATH, question)).status, 404);
    const call = { transaction: 'trial:tell-arm', argument: JSON.stringify(question) };
    assert.match(await atPeer(network.stateDir, ['acme', 'tally'], call), /^not-a-party/);
    assert.match(await atPeer(network.stateDir, ['stmary', 'tally'], call), /^not-a-party/);
    const told = async (member: string): Promise<boolean> =>
      /salus_alarms_total\{[^}]*trial-unblinding[^}]*\} 1/.test((await network.ask(member, '/metrics')).text);
    for (const member of ['acme', 'tally']) {
      for (let tries = 0; tries < 100 && !(await told(member)); tries += 1) await sleep(100);
      assert.equal(await told(member), true, member);
    }
    assert.equal(await told('medisure'), false);
  });

  it('keeps a content at the site and, handed over through the door, at the sponsor, and nowhere else', async () => {
    const [visit] = view.versions[4]!.protocol.visits.filter(({ forms }) => forms.length > 0);
    const texts = { participant: 'P1', visit: visit!.id, form: visit!.forms[0]!, delegate: 'inv-1' };
    const lab = { linkId: 'lab', answer: [{ valueDecimal: JSON.rawJSON('1.50') }] };
    const item = [{ linkId: 'systolic', answer: [{ valueString: 'CANARY-128' }] }, lab];
    const response = { resourceType: 'QuestionnaireResponse', status: 'completed', item };
    const values = [
      ...Object.entries(texts).map(([name, valueString]) => ({ name, valueString })),
      ...['n', 'consent'].map((name) => ({ name, valueInteger: 1 })),
      { name: 'response', resource: response },
    ];
    const entered = await post('stmary', 'investigator', `${NAME}/$enter`, values);
    assert.equal(entered.status, 200, entered.text);
    assert.match(entered.text, /"handedOver","valueBoolean":true/);
    for (const [member, role, status] of [
      ['stmary', 'investigator', 200],
      ['acme', 'monitor', 200],
      ['tally', 'cro', 403],
    ] as const) {
      const token = await network.token({ member, role });
      const found = await network.ask(member, `QuestionnaireResponse?study=ResearchStudy/${NAME}&participant=P1`, {
        token,
      });
      assert.equal(found.status, status, found.text);
      const shown = [found.text.includes('CANARY-128'), found.text.includes('"valueDecimal":1.50')];
      assert.deepEqual(shown, [status === 200, status === 200], member);
    }
  });

  it('keeps the content of a reported event at site and sponsor; a third member sees that it was, the ledger its commitment', async () => {
    const awareAt = (await look('stmary')).slots[0]!.taken[0]!.at;
    await reportedOnNetwork(network, NAME, { isFatal: true, awareAt });
  });

  it('lists what is owed and finds participants and events by study, at any member', async () => {
    const token = await network.token({ member: 'authority', role: 'regulator' });
    const ask = async (path: string): Promise<Answer> => {
      const answer = await network.ask('authority', path, { token });
      assert.equal(answer.status, 200, answer.text);
      return answer;
    };
    assert.match((await ask(`ResearchStudy/${NAME}/$due`)).text, /"regulator".*"valueCode":"open"/);
    assert.equal((await ask(`AdverseEvent?study=ResearchStudy/${NAME}`)).body.total, 1);
    const subjects = await ask(`ResearchSubject?study=ResearchStudy/${NAME}`);
    assert.equal(subjects.body.total, 1);
    assert.ok(!subjects.text.includes('Arm'));
  });

  it('gives a regulator one package, checked against the blocks of its own peer: nothing bent, nothing left out', async () => {
    const answer = await packages.whole();
    const whole = await packages.verify(answer.text);
    assert.equal(whole.code, 0, whole.said);
    assert.match(whole.said, /^\d{2,} records, each as on the ledger, none left out/m);
    const changed = packages.changesOf(answer);
    assert.match(
      await changed((found) => ({ ...found, view: { ...found.view, unblindings: [] } })),
      /it leaves out trial-unblinding\/ALXN-204\/all\/000001/,
    );
    assert.match(
      await changed(({ lines, ...found }) => {
        const bent = lines.map(([name, line]) => [
          name,
          { ...line, points: line.points.map((point) => ({ ...point, n: 2 })) },
        ]);
        return { ...found, lines: bent };
      }),
      /not on the ledger: .*"act":"enter"/,
    );
  });

  it('gives the sponsor the same with the contents, each provable offline by what the ledger commits to', async () => {
    await packages.assertProven();
  });

  it('shows every face of FHIR by HTTP, without an arm', async () => {
    const token = await network.token({ member: 'authority', role: 'regulator' });
    const one = `study=ResearchStudy/${NAME}&participant=P1`;
    const faces = {
      [`ResearchStudy/${NAME}`]: 'ResearchStudy',
      [`PlanDefinition/${NAME}`]: 'PlanDefinition',
      [`ResearchSubject?study=ResearchStudy/${NAME}`]: 'Bundle',
      [`AdverseEvent?study=ResearchStudy/${NAME}`]: 'Bundle',
      [`AuditEvent?study=ResearchStudy/${NAME}`]: 'Bundle',
      [`Consent?${one}`]: 'Bundle',
      [`Provenance?${one}`]: 'Bundle',
      [`ResearchStudy/${NAME}/$outcome-diff`]: 'Parameters',
    };
    for (const [path, type] of Object.entries(faces)) {
      const { status, body, text } = await network.ask('authority', path, { token });
      assert.deepEqual([status, body.resourceType], [200, type], `${path}: ${text}`);
      if (type === 'Bundle') assert.ok((body.total ?? 0) > 0, path);
      assert.ok(!text.includes('assignedArm'), path);
    }
    assert.equal((await network.ask('authority', 'PlanDefinition/none', { token })).status, 404);
    const after = (block: string) => {
      return network.ask('authority', `ResearchStudy/${NAME}/$due`, { token, headers: { 'x-min-block': block } });
    };
    assert.deepEqual([(await after('1')).status, (await after('x')).status], [200, 400]);
    assert.equal((await after('999999')).status, 503, 'a block that is not here yet is waited for, then said so');
    const reason = 'last visit done';
    const told = valuesIn(await network.ask('authority', `ResearchStudy/${NAME}/$lock`, { token }));
    const signature = await signers.sign('tally', 'cro', { meaning: 'lock', ...told, reason });
    const lock = [text('reason', reason), text('signature', JSON.stringify(signature))];
    assert.equal((await post('authority', 'regulator', `${NAME}/$lock`, lock)).status, 403);
    assert.equal((await post('tally', 'cro', `${NAME}/$lock`, lock.slice(1))).status, 400);
    assert.equal((await post('tally', 'cro', `${NAME}/$lock`, lock)).status, 200);
    await shown('stmary', 'locked');
  });

  it('is packaged whole once it is locked, and found out where the lock is bent', async () => {
    const answer = await packages.whole();
    const whole = await packages.verify(answer.text);
    assert.equal(whole.code, 0, whole.said);
    const said = await packages.changesOf(answer)(({ view: shown, ...found }) => {
      const milestones = shown.milestones.map((each) => (each.name === 'lock' ? { ...each, root: random() } : each));
      return { ...found, view: { ...shown, milestones } };
    });
    assert.match(said, /not on the ledger: trial-milestone\/ALXN-204\/lock/);
  });

  it('shows a reviewer a page whose versions lead to their endorsed transactions', async () => {
    const page = await network.ask('medisure', `/trials/${NAME}`, { headers: { accept: 'text/html' } });
    assert.equal(page.status, 200);
    const { tx } = view.versions[0]!;
    assert.ok(page.text.includes(`/ledger/transactions/${tx}`));
    assert.equal((await network.ask('medisure', `/ledger/transactions/${tx}`)).status, 200);
    assert.equal((await network.ask('medisure', '/trials/none')).status, 404);
  });
});
