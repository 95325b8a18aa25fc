import assert from 'node:assert/strict';
import type { JsonObject } from '@salus/gateway/fhir/json';
import { validationIssues } from '@salus/gateway/fhir/validate';
import { commitmentOf, type PrintedName } from '@salus/gateway/trial/content';
import { MAX_PRINTED_NAME, NAMES_PATH, openedNames } from '@salus/gateway/trial/names';
import { packageIn, recordsIn } from '@salus/gateway/trial/package';
import { checkNames } from '@salus/gateway/trial/verify-names';
import { commitment } from './attempts.js';
import { Gateways, resourcesIn } from './ledger-double.js';
import { TRIAL, TrialWorld } from './world.js';

const STUDY = `ResearchStudy/${TRIAL}`;
const ADA = "Dr. Ada O'Neill & Sons";
const BO = 'Bo Board, MD';
const DAY = 86_400_000;

describe('the printed name of who signs', () => {
  let world: TrialWorld;
  let gateways: Gateways;
  let ada: string;
  let bo: string;

  /** `$printed-name`, whatever it answers. */
  async function prints(member: string, role: string, values: Readonly<Record<string, string>>) {
    const parameter = Object.entries(values).map(([name, valueString]) => ({ name, valueString }));
    const body = { resourceType: 'Parameters', parameter };
    const { status, resource } = await gateways.ask(member, role, 'POST', `${STUDY}/$printed-name`, body);
    const { parameter: said = [] } = resource as { parameter?: { name: string; valueString: string }[] };
    return { status, commitment: said.find(({ name }) => name === 'commitment')?.valueString ?? '' };
  }
  const provenance = async (member: string, role: string, more = ''): Promise<readonly JsonObject[]> =>
    resourcesIn(await gateways.ask(member, role, 'GET', `Provenance?study=${STUDY}${more}`));
  /** The signed act of the one participant, as somebody is shown it. */
  const signedBy = async (member: string, role: string): Promise<JsonObject> =>
    (await provenance(member, role, '&participant=P1')).at(-1) ?? assert.fail('nothing is signed');
  const shown = async (member: string, role: string): Promise<string> => JSON.stringify(await signedBy(member, role));

  before(async () => {
    world = await TrialWorld.enrolling();
    gateways = new Gateways(world);
    await world.enrolled('P1', 'stmary', 's1', 1);
    ada = (await prints('stmary', 'investigator', { name: ADA })).commitment;
    bo = (await prints('tally', 'board', { name: BO, salt: 'd'.repeat(64) })).commitment;
    const about = { participant: 'P1', form: 'vitals' };
    await world.point('stmary', 'coordinator', { ...about, n: 1, act: 'enter', commitment, consent: 1 });
    await world.point('tally', 'cro', { ...about, n: 2, act: 'clean' });
    await world.point('acme', 'monitor', { ...about, n: 3, act: 'verify' });
    const key = await world.delegate('stmary', 'investigator');
    const signature = world.sign(key, { visit: 'v1', ...about, n: 4, commitment, meaning: 'sign' }, ada);
    await world.point('stmary', 'investigator', { ...about, n: 4, act: 'sign', signatures: [signature] });
    const reason = 'to look at the names';
    const halt = { meaning: 'halt', reason, after: (await world.view()).status?.tx };
    const byBoard = world.sign(await world.delegate('tally', 'board'), halt, bo);
    await world.act('tally', 'board', 'halt', { reason, signature: byBoard });
    // Shown is when it was signed, whenever it is looked at.
    await world.ledger.pass(DAY, 'stmary');
  });

  it('stands with time and meaning beside what was signed, for people and for programs, at every party of the trial', async () => {
    for (const [member, role] of [
      ['stmary', 'investigator'],
      ['acme', 'monitor'],
      ['authority', 'regulator'],
    ] as const) {
      const found = await signedBy(member, role);
      assert.deepEqual(validationIssues(found), []);
      const [signature] = found['signature'] as { who: { display?: string }; when: string; type: { code: string }[] }[];
      assert.equal(signature?.who.display, ADA, member);
      assert.ok(signature.type.some(({ code }) => code === 'sign'));
      const { div } = found['text'] as { div: string };
      assert.ok(div.includes(`Signed by Dr. Ada O&#39;Neill &amp; Sons on ${signature.when}. Meaning: sign.`), div);
      assert.ok(Date.parse(signature.when) <= world.ledger.clockMs - DAY);
    }
    const [consented] = await provenance('acme', 'monitor', '&participant=P1');
    assert.deepEqual(validationIssues(consented ?? {}), []);
    assert.match(JSON.stringify(consented), /Meaning: counter-signature\..*"target":\[\{"reference":"Consent\//);
    const halts = (await provenance('acme', 'sponsor')).map((each) => JSON.stringify(each));
    assert.ok(halts.some((text) => text.includes(BO) && text.includes('Meaning: halt.')));
  });

  it('is told to nobody else: the ledger and who plays no part have its commitment', async () => {
    for (const [member, role] of [
      ['stmary', 'nurse'],
      ['stmary', 'patient'],
      ['acme', 'auditor'],
    ] as const) {
      const text = await shown(member, role);
      assert.deepEqual([text.includes('Ada'), text.includes('printed name not shown')], [false, true]);
    }
    assert.equal(await gateways.knock('medisure', 'stmary', { trial: TRIAL, names: [ada] }, NAMES_PATH), undefined);
    assert.ok(await gateways.knock('acme', 'stmary', { trial: TRIAL, names: [ada] }, NAMES_PATH));
    const written = world.ledger.outcomes.map(({ outcome: { rwset } }) =>
      [...rwset.writes.values()].flatMap((writes) => [...writes.values()].map(String)).join(),
    );
    assert.ok(!written.some((text) => text.includes('Ada') || text.includes('Board, MD')));
    assert.ok(written.some((text) => text.includes(commitment)));
  });

  it('is shown once it was told, also while the member that told it is away; before, its commitment stands for it', async () => {
    gateways.away.add('stmary');
    assert.ok((await shown('northside', 'investigator')).includes('printed name not shown'));
    assert.ok((await shown('acme', 'sponsor')).includes('Ada'));
    gateways.away.delete('stmary');
    assert.ok((await shown('northside', 'investigator')).includes('Ada'));
  });

  it('is believed of nobody who tells another one than was committed to', async () => {
    const forged = JSON.stringify({ trial: TRIAL, name: 'Somebody Else', salt: 'e'.repeat(64) });
    gateways.facts.set(`tally name/${TRIAL}/${bo}`, forged);
    const seen = (await provenance('northside', 'investigator')).map((each) => JSON.stringify(each)).join();
    assert.deepEqual([seen.includes('Somebody Else'), seen.includes(BO)], [false, false]);
  });

  it('is asked for however many are lacked, so many at a time', async () => {
    const printed = Array.from({ length: 501 }, (_, n) => ({ name: `Dr. ${n}`, salt: String(n).padStart(64, '0') }));
    const own = new Map<string, string>();
    const put = (value: object): void =>
      void own.set(`name/${TRIAL}/${commitmentOf(value as JsonObject)}`, JSON.stringify({ trial: TRIAL, ...value }));
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const statements = printed.map((each) => {
      const name = commitmentOf(each);
      gateways.facts.set(`stmary name/${TRIAL}/${name}`, JSON.stringify({ trial: TRIAL, ...each }));
      return `${part({ kid: 'stmary.investigator' })}.${part({ name })}.`;
    });
    const ports = {
      member: 'acme',
      facts: { fact: (_space: string, key: string) => own.get(key) },
      keep: (records: readonly { readonly value: unknown }[]): Promise<void> => {
        for (const { value } of records) {
          const { name, salt } = value as PrintedName;
          put({ name, salt });
        }
        return Promise.resolve();
      },
      ask: (to: string, path: string, words: object) => gateways.knock('acme', to, words, path),
    };
    assert.deepEqual(await openedNames(ports, await world.view(), statements), printed);
  });

  it('is in the package of who acts in the trial, checked by what was signed, and bent it is found out', async () => {
    const found = packageIn(
      JSON.stringify((await gateways.ask('authority', 'regulator', 'GET', `${STUDY}/$package`)).resource),
    );
    assert.deepEqual(
      found?.names?.map(({ name }) => name),
      [ADA],
    );
    const { findings, signatures } = checkNames(recordsIn(found), found.names);
    assert.deepEqual(findings, []);
    assert.ok(
      signatures.some((line) =>
        /^sign, signed \S+ by Dr\. Ada O'Neill & Sons \(key stmary\.investigator\)$/.test(line),
      ),
    );
    const bent = checkNames(recordsIn(found), [{ ...found.names[0]!, name: 'Dr. Who' }]);
    assert.deepEqual(bent.findings, ['not a printed name that anybody signed under: Dr. Who']);
    const other = await gateways.ask('acme', 'auditor', 'GET', `${STUDY}/$package`);
    assert.equal(packageIn(JSON.stringify(other.resource))?.names, undefined);
  });

  it('is one line of no more than so many characters, of somebody who acts in the trial', async () => {
    assert.equal((await prints('acme', 'sponsor', { name: 'x'.repeat(MAX_PRINTED_NAME) })).status, 200);
    assert.equal((await prints('acme', 'sponsor', { name: 'x'.repeat(MAX_PRINTED_NAME + 1) })).status, 400);
    assert.equal((await prints('acme', 'sponsor', { name: 'two\nlines' })).status, 400);
    assert.equal((await prints('acme', 'sponsor', { name: 'x', salt: 'short' })).status, 400);
    assert.equal((await prints('acme', 'sponsor', {})).status, 400);
    assert.equal((await prints('northside', 'sponsor', { name: 'x' })).status, 403);
    assert.equal((await prints('stmary', 'nurse', { name: 'x' })).status, 403);
  });
});
