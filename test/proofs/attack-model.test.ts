import { strict as assert } from 'node:assert';

import { campaign } from '../support/campaigns.js';
import { type Answer, networkOfSuite } from '../support/network.js';
import { comingFor, staff, type Asker } from './attack-model/askers.js';
import { templates, type Template } from './attack-model/consents.js';
import { inEmergency, visibleTo } from './attack-model/judge.js';
import { waysFor, type Question, type Sent } from './attack-model/questions.js';
import { contents, guardianOf, marksOf, nobody, PARTS, person, type Case, type Part } from './attack-model/record.js';

const attack = campaign('attack');
const random = attack.random();
const PATIENTS = attack.size({ slice: 12, full: 60 });
const QUESTIONS = attack.size({ slice: 300, full: 5_000 });
/** Emergencies, each by another clinician; a custodian opens 20 an hour to a member. */
const EMERGENCIES = attack.size({ slice: 3, full: 10 });
/** Of the questions that show nothing this part is asked of nobody, too. */
const COMPARED = 0.2;
const WORKERS = 6;

/** Whom consents name. */
const named = staff.filter(({ user, purpose }) => ['dr-cook', 'dr-baker'].includes(user) && purpose === 'TREAT');

const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;

describe(`a generated world, asked ${QUESTIONS} times by every way out`, () => {
  const network = networkOfSuite();
  const world: Case[] = [];
  const tokens = new Map<string, Promise<string>>();
  let newest = 0;

  before(async function () {
    this.timeout(600_000);
    for (let n = 0; n < PATIENTS; n += 1) world.push(await made(n));
  });

  async function send(asker: Asker, sent: Sent): Promise<Answer> {
    const { member, role, user, patient, purpose } = asker;
    const name = JSON.stringify([member, role, user, patient]);
    const token = tokens.get(name) ?? network.token({ member, role, user, patient });
    tokens.set(name, token);
    const headers = { 'x-purpose-of-use': purpose, 'x-min-block': String(newest), ...sent.headers };
    return await network.ask(member, sent.path, { ...sent, headers, token: await token });
  }

  async function written(asker: Asker, sent: Sent): Promise<string> {
    const answer = await send(asker, sent);
    assert.ok([200, 201].includes(answer.status), answer.text);
    newest = Math.max(newest, Number(answer.headers.get('x-block') ?? 0));
    return String(answer.body.id);
  }

  /** The n-th patient: a record at one of the hospitals and up to two consents. */
  async function made(n: number): Promise<Case> {
    const custodian = n % 4 === 3 ? 'northside' : 'stmary';
    const by: Asker = { member: custodian, user: 'dr-writer', role: 'physician', purpose: 'TREAT' };
    const marks = marksOf(n);
    const family = `FAMILY${n}X`;
    const patient = await written(by, { path: 'Patient', body: person(family, marks.person) });
    const ids: Partial<Record<Part, string>> = { person: patient };
    for (const [part, body] of contents(patient, marks)) {
      const { resourceType } = body as { resourceType: string };
      ids[part] = await written(by, { path: resourceType, body });
    }
    const isGuardianGone = n % 3 === 2;
    await written(by, { path: 'RelatedPerson', body: guardianOf(patient, isGuardianGone) });
    ids.note = ids.glucose!;
    const first = templates[n % templates.length]!;
    const consents = random() < 0.5 ? [first] : [first, pick(templates.filter((each) => each !== first))];
    for (const consent of consents) await given(custodian, patient, consent);
    return { custodian, patient, family, marks, ids: ids as Record<Part, string>, consents, isGuardianGone };
  }

  async function given(custodian: string, patient: string, { send: body, isWithdrawn }: Template): Promise<void> {
    const by = comingFor(patient, custodian, false);
    const id = await written(by, { path: 'Consent', body: body(patient) });
    if (isWithdrawn !== true) return;
    const ended = { ...body(patient), id, status: 'inactive' };
    await written(by, { method: 'PUT', path: `Consent/${id}`, body: ended });
  }

  function asker({ patient, custodian }: Case): Asker {
    if (random() < 0.2) return pick(named);
    if (random() < 0.8) return pick(staff);
    const whose = random() < 0.5 ? patient : pick(world).patient;
    return comingFor(whose, random() < 0.8 ? custodian : 'northside', random() < 0.5);
  }

  function question(): Question {
    const record = pick(world);
    const about = { record, asker: asker(record), part: pick(PARTS) };
    return { ...about, way: pick(waysFor(about, visibleTo(about.asker, record))) };
  }

  /** Marks of anybody's record in a text. */
  const marksIn = (text: string): string[] => [...new Set(text.match(/MARK-?\d+[A-Z]+X/g))].sort();

  /** What is wrong with an answer; undefined = nothing. */
  function problem({ asker: by, record, way, part }: Question, answer: Answer): string | undefined {
    const sight = visibleTo(by, record);
    const afar = by.member !== record.custodian;
    const expected = [...new Set(way.shows(sight, part, afar).map((each) => record.marks[each]))].sort();
    const found = marksIn(answer.text);
    if (JSON.stringify(found) !== JSON.stringify(expected)) return `shows [${found.join()}], not [${expected.join()}]`;
    const { total } = answer.body;
    if (total === undefined || way.counts === undefined) return undefined;
    const most = afar ? 0 : way.counts(sight);
    return total === most ? undefined : `counts ${total}, not ${most}`;
  }

  const titled = ({ asker: by, record, way, part }: Question): string =>
    `${way.name} (${part}) of a patient of ${record.custodian} with consents [${record.consents.map(({ name }) => name).join('; ')}] by ${JSON.stringify(by)}`;

  /** What a program can see of an answer, with the names that were sent and what is random replaced. */
  function visible(answer: Answer, { patient, family, ids }: Case): object {
    let text = answer.text;
    for (const name of [patient, family, ...Object.values(ids)]) text = text.replaceAll(name, '<name>');
    const masked = text
      .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<uuid>')
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>');
    const names = [...answer.headers.keys()].filter((name) => name !== 'content-length').sort();
    return { status: answer.status, names, etag: answer.headers.get('etag'), masked };
  }

  /** Whether nothing of the record is to be seen by the asker, so that the answer must be nobody's. */
  const isBlind = ({ asker: by, record }: Question): boolean => visibleTo(by, record).size === 0;

  async function asked(each: Question, isCompared: boolean): Promise<readonly string[]> {
    const { asker: by, record, way, part } = each;
    const answer = await send(by, way.sent(record, part));
    const wrong = problem(each, answer);
    if (wrong !== undefined) return [`${titled(each)} ${wrong}: ${answer.status} ${answer.text.slice(0, 300)}`];
    if (!isCompared || !isBlind(each)) return [];
    const other = nobody(record);
    // Whoever comes for one record is told apart by that, not by what is asked.
    if (by.patient === record.patient) return [];
    const unknown = await send(by, way.sent(other, part));
    const [here, there] = [visible(answer, record), visible(unknown, other)].map((one) => JSON.stringify(one));
    return here === there ? [] : [`${titled(each)} is not answered as of nobody: ${here} ${there}`];
  }

  it('shows what the model says, no more and no less, and nothing hidden is told from what is absent', async () => {
    const queue = Array.from({ length: QUESTIONS }, () => [question(), random() < COMPARED] as const);
    const wrong: string[] = [];
    const shown = queue.filter(([{ asker: by, record }]) => visibleTo(by, record).size > 0).length;
    assert.ok(shown > QUESTIONS / 5 && shown < QUESTIONS * 0.9, `${shown} of ${QUESTIONS} askers see anything`);
    const work = async (): Promise<void> => {
      for (let next = queue.pop(); next !== undefined; next = queue.pop()) wrong.push(...(await asked(...next)));
    };
    await Promise.all(Array.from({ length: WORKERS }, work));
    assert.deepEqual(wrong, [], `seed ${attack.seed}: ${wrong.length} wrong`);
  }).timeout(3_600_000);

  it('opens in an emergency elsewhere the summary, then everything, to who said why, and to nobody after an exclusion', async () => {
    const records = world.filter(({ custodian }) => custodian === 'stmary');
    const excluded = records.filter(({ consents }) => consents.some(({ name }) => name.includes('emergency')));
    const chosen = [...excluded, ...records].slice(0, EMERGENCIES);
    for (const [index, record] of chosen.entries()) {
      const by: Asker = { member: 'northside', user: `dr-g${index}`, role: 'physician', purpose: 'BTG' };
      for (const full of [false, true]) {
        const answer = await send(by, { path: `Patient/${record.patient}/$break-glass`, body: emergency(full) });
        const expected = [...inEmergency(by, record, full)].map((part) => record.marks[part]).sort();
        const consents = record.consents.map(({ name }) => name).join('; ');
        assert.deepEqual(marksIn(answer.text), expected, `[${consents}] full ${full}: ${answer.text.slice(0, 300)}`);
      }
    }
  }).timeout(600_000);

  it('leaves every record as it was', async () => {
    for (const record of world) {
      const own = comingFor(record.patient, record.custodian, false);
      const { text } = await send(own, { path: `Patient/${record.patient}/$everything` });
      assert.deepEqual(marksIn(text), Object.values(record.marks).sort());
      const history = await send(own, { path: `Patient/${record.patient}/_history` });
      assert.equal(history.body.total ?? history.body.entry?.length, 1);
    }
  }).timeout(600_000);
});

function emergency(full: boolean): object {
  const parameter = [
    { name: 'reason', valueCode: 'unconscious' },
    { name: 'text', valueString: 'found beside the road' },
    { name: 'full', valueBoolean: full },
  ];
  return { resourceType: 'Parameters', parameter };
}
