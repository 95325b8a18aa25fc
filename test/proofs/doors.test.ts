import assert from 'node:assert/strict';

import { decodeRefusal } from '@salus/chaincode/registry/api';
import type { Actor } from '@salus/gateway/ports';

import { sendConsent } from '../door/consents.js';
import { campaign } from '../support/campaigns.js';
import { random as fresh } from '../support/contract-world.js';
import { Knocker, type Knock } from '../support/knock.js';
import { SharingWorld } from '../support/sharing-world.js';
import { comingFor, staff, type Asker } from './attack-model/askers.js';
import { templates } from './attack-model/consents.js';
import { cheats, doorQuestions, type DoorQuestion } from './attack-model/doors.js';
import { visibleTo } from './attack-model/judge.js';
import { contents, marksOf, PARTS, person, type Case, type Part } from './attack-model/record.js';

const doors = campaign('doors');
const random = doors.random();
/** Worlds of ten patients each. */
const WORLDS = doors.size({ slice: 1, full: 40 });
const PATIENTS = 10;
/** Accesses asked for in a world, and calls at the door under each that is given: one that is right, the others not. */
const ACCESSES = doors.size({ slice: 100, full: 1_250 });
const CHEATS = 3;
const WORKERS = 16;

const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
const writer: Actor = { member: 'stmary', user: 'u-w', role: 'physician', purpose: 'TREAT', scopes: ['user/*.cruds'] };
const strangers = staff.filter(({ member, purpose }) => member === 'northside' && purpose !== 'BTG');

/** What a member may ask the contract for, and must not be given; the code by which it is refused. */
const refused: readonly (readonly [code: string, change: (asked: Asked, taken: string) => object])[] = [
  ['purpose-mismatch', ({ request }) => ({ request: { ...request, purpose: 'PUBHLTH' } })],
  [
    'purpose-not-claimable',
    ({ request, actor }) => ({
      request: { ...request, purpose: 'PUBHLTH' },
      actor: { ...actor, purpose: 'PUBHLTH' },
    }),
  ],
  ['reason-missing', emergencyUnexplained],
  ['link-not-in-force', ({ request }) => ({ request: { ...request, link: fresh() } })],
  [
    'signed-request-invalid',
    ({ request }) => ({ request: { ...request, custodian: 'northside', onBehalfOf: `e30.e30.${'A'.repeat(86)}` } }),
  ],
  ['access-exists', ({ request }, taken) => ({ request: { ...request, aid: taken } })],
];

interface Target {
  readonly patient: string;
  readonly scope: DoorQuestion['scope'];
}

interface Asked {
  readonly request: Pick<Target, 'scope'> &
    Readonly<Record<'aid' | 'purpose' | 'salt', string>> & { readonly pid: string | undefined };
  readonly actor: { readonly user: string; readonly role: string; readonly purpose: string };
}

function emergencyUnexplained({ request, actor }: Asked): object {
  return { request: { ...request, purpose: 'BTG' }, actor: { ...actor, role: 'physician', purpose: 'BTG' } };
}

describe(`${WORLDS * ACCESSES * (2 + CHEATS)} questions to the contract and at a door, by a member that cheats`, () => {
  for (let world = 0; world < WORLDS; world += 1) {
    it(`world ${world}: nothing but what the model says`, () => new DoorWorld().run()).timeout(3_600_000);
  }
});

/** One generated world; what is wrong in it is counted. */
class DoorWorld {
  readonly #cases: Case[] = [];
  readonly #wrong: string[] = [];
  #world!: SharingWorld;
  #knocker!: Knocker;
  #shown = 0;

  async run(): Promise<void> {
    this.#world = await SharingWorld.open();
    this.#knocker = new Knocker(this.#world);
    try {
      for (let n = 0; n < PATIENTS; n += 1) this.#cases.push(await this.#made(n));
      const foreign = await this.#access(
        { user: 'u-foreign', role: 'physician', purpose: 'TREAT' },
        { patient: 'p0', scope: { types: [], interaction: 'everything' } },
      );
      let left = ACCESSES;
      const work = async (): Promise<void> => {
        while (left-- > 0) await this.#asked(foreign);
      };
      // A door waits a moment for what may still be committed: nobody waits for it alone.
      await Promise.all(Array.from({ length: WORKERS }, work));
    } finally {
      await this.#knocker.close();
      await this.#world.close();
    }
    assert.deepEqual(this.#wrong.slice(0, 5), [], `seed ${doors.seed}: ${this.#wrong.length} wrong`);
    assert.ok(this.#shown > ACCESSES / 10, `${this.#shown} of ${ACCESSES} show anything`);
  }

  async #made(n: number): Promise<Case> {
    const { stmary } = this.#world;
    const marks = marksOf(n);
    const patient = `p${n}`;
    const ids: Partial<Record<Part, string>> = { person: patient };
    const parts = [['person', person(`FAMILY${n}X`, marks.person)] as const, ...contents(patient, marks)];
    for (const [part, body] of parts) {
      const { resourceType: type } = body as { resourceType: string };
      const id = part === 'person' ? patient : `${part}${n}`;
      ids[part] = id;
      await stmary.sharing.writer.write(writer, [
        { type, id, expect: 0, text: JSON.stringify({ ...body, id }), patient },
      ]);
    }
    ids.note = ids.glucose!;
    const permitting = templates.filter(({ name }) => /northside for treatment|one physician of northside/.test(name));
    const consents = [pick(random() < 0.6 ? permitting : templates), ...(random() < 0.5 ? [pick(templates)] : [])];
    for (const { send, isWithdrawn } of consents) {
      const consent = send(patient) as Parameters<typeof sendConsent>[1];
      const id = await sendConsent(stmary, consent);
      if (isWithdrawn) await sendConsent(stmary, { ...consent, status: 'inactive' }, id);
    }
    const names = { custodian: 'stmary', patient, family: `FAMILY${n}X` };
    return { ...names, marks, ids: ids as Record<Part, string>, consents, isGuardianGone: false };
  }

  /** One access: what must be refused, what is decided, and what the door then shows. */
  async #asked(foreign: string): Promise<void> {
    const record = pick(this.#cases);
    const by = asker(record.patient);
    const question = pick(doorQuestions(record, pick(PARTS)));
    const { user, role, purpose } = by;
    const target = { patient: record.patient, scope: question.scope };
    await this.#refused(this.#asking({ user, role, purpose }, target), foreign);
    const aid = await this.#access({ user, role, purpose }, target);
    const shows = question.shows(visibleTo(by, record)).map((part) => record.marks[part]);
    const call: Knock = {
      path: question.path,
      by: { user, role },
      signer: this.#world.northside,
      line: this.#world.northside,
    };
    const { body, proof } = await this.#knocker.knock(aid, call);
    if (shows.length > 0) this.#shown += 1;
    const found = marksIn(body);
    const title = `${question.path} for ${JSON.stringify(by)} [${record.consents.map(({ name }) => name).join('; ')}]`;
    if (found.join() !== [...new Set(shows)].sort().join()) this.#wrong.push(`${title} shows ${found.join()}`);
    const right = { world: this.#world, base: this.#knocker.base, call, question, record, used: proof, foreign };
    for (let n = 0; n < CHEATS; n += 1) {
      const name = pick(Object.keys(cheats));
      const other = pick(this.#cases.filter((each) => each !== record));
      await this.#cheated(`${title} with ${name}`, aid, call, cheats[name]!({ ...right, other }));
    }
  }

  #asking(actor: Asked['actor'], of: Target): Asked {
    const pid = this.#world.stmary.sharing.lookup.pidOf(of.patient);
    return { actor, request: { aid: fresh(), pid, purpose: actor.purpose, scope: of.scope, salt: fresh() } };
  }

  /** An access that the contract takes, whatever it decides. */
  async #access(actor: Asked['actor'], of: Target): Promise<string> {
    const asked = this.#asking(actor, of);
    await this.#world.submit('northside', 'access:request', asked);
    return asked.request.aid;
  }

  async #refused(asked: Asked, taken: string): Promise<void> {
    const [code, change] = pick(refused);
    const outcome = await this.#world.contracts.evaluate('northside', 'access:request', {
      ...asked,
      ...change(asked, taken),
    });
    if (decodeRefusal(outcome.message)?.code !== code)
      this.#wrong.push(`not ${code}: ${outcome.status} ${outcome.message}`);
  }

  async #cheated(title: string, aid: string, call: Knock, change: Partial<Knock> & { aid?: string }): Promise<void> {
    const { status, body } = await this.#knocker.knock(change.aid ?? aid, { ...call, ...change });
    const absent = await this.#nothing();
    if (status !== 404 || body !== absent) this.#wrong.push(`${title}: ${status} ${body.slice(0, 200)}`);
  }

  #absent: string | undefined;

  /** What a door says of what is not there. */
  async #nothing(): Promise<string> {
    const { northside } = this.#world;
    const nobody = { path: 'Patient/nobody', by: { user: 'u', role: 'nurse' }, signer: northside, line: northside };
    this.#absent ??= (await this.#knocker.knock(fresh(), { ...nobody, proof: 'none' })).body;
    return this.#absent;
  }
}

/** Most often whom consents name. */
function asker(patient: string): Asker {
  if (random() < 0.4) return pick(strangers.filter(({ user }) => user === 'dr-baker'));
  return random() < 0.85 ? pick(strangers) : comingFor(patient, 'northside', random() < 0.5);
}

/** Marks of anybody's record in a text. */
const marksIn = (text: string): string[] => [...new Set(text.match(/MARK-?\d+[A-Z]+X/g))].sort();
