/** A trial on the contracts' double: three sites, a sponsor, a regulator, an allocator, and what each signs with. */
import { createHash } from 'node:crypto';
import type {
  Allotted,
  Outcome,
  ParticipantView,
  PointRecord,
  Protocol,
  TrialView,
  VersionRecord,
} from '@salus/chaincode/trial/api';
import { leafOf, lockRootOf } from '@salus/chaincode/trial/api';
import { merkleRoot } from '@salus/chaincode/dist/lib/merkle.js';
import { digest } from '@salus/chaincode/dist/lib/canonical.js';
import { ContractWorld, manyMembers, random } from '../support/contract-world.js';
import { SigningKey } from '../support/signing.js';
import type { TrialLedger } from './trial-ledger.js';

/** What a ledger answers to a submit. */
type Answer<L extends TrialLedger> = Awaited<ReturnType<L['submit']>>;

/** The trial's name in these tests. */
export const TRIAL = 'TRIAL-1';
/** The hospitals. */
export const sites = ['stmary', 'northside', 'westgate'] as const;

/** Registered outcomes. */
export const outcomes: readonly Outcome[] = [
  { id: 'o1', role: 'primary', measure: 'HbA1c', metric: 'change from baseline', timeFrame: 'week 26' },
  { id: 'o2', role: 'secondary', measure: 'body weight', timeFrame: 'week 26' },
  { id: 'o3', role: 'exploratory', measure: 'sleep', timeFrame: 'week 52' },
];

/** A protocol, with parts replaced. */
export function protocol(change: Partial<Protocol> = {}): Protocol {
  const arms = ['A', 'B'].map((code) => ({ code, label: `treatment ${code}`, ratio: 1 }));
  return {
    title: 'A trial',
    outcomes,
    sampleSize: 500,
    allocation: { scheme: 'blocks', arms, strata: ['s1', 's2'] },
    criteria: ['adult', 'diabetes'],
    visits: [{ id: 'v1', forms: ['vitals', 'labs'] }],
    document: 'a'.repeat(64),
    ...change,
  };
}

/** Who plays which part. */
export const parties = {
  sponsor: 'acme',
  allocator: 'tally',
  board: 'tally',
  ethics: ['authority'],
  regulators: ['authority'],
  sites: [...sites],
};

/** A stratum's list: blocks of four, two of each arm, in an order drawn from a seed. */
export function listOf(
  stratum: string,
  length: number,
  [first = 'A', second = 'B']: readonly string[] = [],
): Allotted[] {
  const draw = (text: string): string => createHash('sha256').update(`${stratum} ${text}`).digest('hex');
  return Array.from({ length }, (_, index) => {
    const block = Math.floor(index / 4);
    const order = [first, first, second, second]
      .map((arm, place) => ({ arm, rank: draw(`${block} ${place}`) }))
      .sort((a, b) => (a.rank < b.rank ? -1 : 1));
    const slot = index + 1;
    return { slot, kit: `K${draw(`kit ${slot}`).slice(0, 8)}`, arm: order[index % 4]?.arm ?? first, nonce: random() };
  });
}

/** A first report of an event: serious, severe, related, of P1. The time of awareness is the test's. */
export function seriousEvent(commitment: string, change: object = {}) {
  const graded = { isSerious: true, isFatal: false, severity: 'severe', causality: 'related' };
  return { event: 'E1', n: 1, participant: 'P1', commitment, ...graded, ...change };
}

/** A trial's world. Verbs are without their domain. */
export class TrialWorld<L extends TrialLedger = ContractWorld> {
  readonly keys = new Map<string, SigningKey>();
  readonly lists = new Map<string, Allotted[]>();
  readonly patients = new Map<string, SigningKey>();
  /** Of the version that the trial was registered with. */
  #criteria = protocol().criteria;

  constructor(readonly ledger: L) {}

  /** A world on the contracts' double. */
  static async founded(): Promise<TrialWorld> {
    return new TrialWorld(await ContractWorld.founded({}, manyMembers));
  }

  /** A world whose trial enrols: registered, approved, lists committed, documents adopted, people delegated. */
  static async enrolling(slots = 8, content = protocol()): Promise<TrialWorld> {
    const world = await TrialWorld.founded();
    await world.opened(slots, content);
    return world;
  }

  /** Brings the trial to where it enrols. */
  async opened(slots: number, content = protocol()): Promise<void> {
    await this.registered(content, slots);
    await this.activated(1);
    await this.document(1);
  }

  submit(member: string, role: string, verb: string, request: object): Promise<Answer<L>> {
    return this.ledger.submit(member, `trial:${verb}`, this.call(role, request)) as Promise<Answer<L>>;
  }

  refused(code: string, member: string, role: string, verb: string, request: object): Promise<void> {
    return this.ledger.refused(code, member, `trial:${verb}`, this.call(role, { trial: TRIAL, ...request }));
  }

  /** Submits with the trial's name filled in. */
  act(member: string, role: string, verb: string, request: object): Promise<Answer<L>> {
    return this.submit(member, role, verb, { trial: TRIAL, ...request });
  }

  call(role: string, request: object) {
    return { args: [JSON.stringify(request)], actor: { user: 'u-1', role, purpose: 'CLINTRCH' } };
  }

  /** A call whose request travels in the transient map. */
  hidden(role: string, request: object) {
    return { request: { trial: TRIAL, ...request }, actor: { user: 'u-1', role, purpose: 'CLINTRCH' } };
  }

  async view(): Promise<TrialView> {
    const call = { args: [JSON.stringify({ trial: TRIAL })] };
    return JSON.parse((await this.ledger.evaluate('acme', 'trial:read', call)).payload) as TrialView;
  }

  async newest(): Promise<VersionRecord> {
    const { versions } = await this.view();
    return versions[versions.length - 1]!;
  }

  async registered(content = protocol(), slots = 8): Promise<void> {
    await this.act('acme', 'sponsor', 'register', { parties, protocol: content });
    this.#criteria = content.criteria;
    await this.listed(content, slots);
  }

  /** Lists for every stratum, kept and approved. */
  async listed(content = protocol(), slots = 8): Promise<void> {
    for (const stratum of content.allocation.strata) {
      const list = listOf(stratum, slots);
      this.lists.set(stratum, list);
      const root = merkleRoot(list.map((each) => leafOf(TRIAL, stratum, each))).toString('hex');
      await this.act('tally', 'statistician', 'commit-list', { stratum, root, kits: list.map(({ kit }) => kit) });
      const arms = this.hidden('statistician', { stratum, slots: list, salt: random() });
      await this.ledger.submit('tally', 'trial:keep-arms', arms);
      const committed = (await this.view()).lists.find((each) => each.stratum === stratum)!;
      await this.act('authority', 'regulator', 'approve-list', { stratum, hash: committed.hash });
    }
  }

  async activated(version: number): Promise<void> {
    const { hash } = (await this.view()).versions[version - 1]!;
    for (const role of ['ethics', 'regulator']) {
      await this.act('authority', role, 'approve-version', { version, hash });
    }
    await this.act('acme', 'sponsor', 'activate-version', { version });
  }

  async document(version: number, reconsentBy?: string): Promise<void> {
    const more = reconsentBy === undefined ? {} : { reconsentBy };
    const translations = [{ language: 'en', hash: 'b'.repeat(64) }];
    const request = { version, translations, optionalParts: ['biobank'], ...more };
    await this.act('acme', 'sponsor', 'publish-document', request);
    const hash = digest({ trial: TRIAL, ...request });
    await this.act('authority', 'ethics', 'adopt-document', { version, hash });
  }

  /** The key of somebody on the delegation log, put there at first use. */
  async delegate(member: string, role: string, name = `${member}.${role}`): Promise<SigningKey> {
    const known = this.keys.get(name);
    if (known !== undefined) return known;
    const key = new SigningKey(name);
    this.keys.set(name, key);
    const chief = member === 'tally' ? 'cro' : member === 'acme' ? 'sponsor' : 'investigator';
    await this.act(member, chief, 'delegate', { role, jwk: key.jwk });
    return key;
  }

  /** A signature of a key over content, as the contracts want it. */
  sign(key: SigningKey, content: object) {
    const signedAt = new Date(this.ledger.clockMs).toISOString();
    const name = 'c'.repeat(64);
    const whole = { channel: 'health', trial: TRIAL, ...content, signedAt, name };
    return { kid: key.kid, signedAt, name, statement: key.sign(whole) };
  }

  /** A participant's consent as a request. */
  async consentOf(participant: string, site: string, n = 1, document = 1) {
    const investigator = await this.delegate(site, 'investigator');
    const patient = this.patients.get(participant) ?? new SigningKey(`p-${participant}`);
    this.patients.set(participant, patient);
    const about = { participant, n, document, language: 'en', parts: [] };
    const statement = patient.sign({ channel: 'health', trial: TRIAL, ...about, hash: 'b'.repeat(64) });
    const content = { ...about, hash: 'b'.repeat(64), meaning: 'counter-signature', statement };
    return { ...about, jwk: patient.jwk, statement, countersignature: this.sign(investigator, content) };
  }

  /** Claims, consents, and declares eligible. */
  async prepared(participant: string, site: string): Promise<void> {
    const claim = this.hidden('investigator', { participant, hmacs: [random()], salt: random() });
    await this.ledger.submit(site, 'trial:claim', claim);
    await this.act(site, 'investigator', 'consent', await this.consentOf(participant, site));
    await this.act(site, 'investigator', 'declare-eligible', { participant, criteria: this.answers() });
  }

  answers() {
    return this.#criteria.map((id) => ({ id, commitment: random() }));
  }

  async enrolled(participant: string, site: string, stratum: string, slot: number): Promise<Answer<L>> {
    await this.prepared(participant, site);
    return this.act(site, 'investigator', 'enrol', { participant, stratum, slot, consent: 1 });
  }

  /** Locks the data base with what a lock must name: the root of every data point, and their number. */
  async locked(): Promise<Answer<L>> {
    const points: PointRecord[] = [];
    for (const { participant } of (await this.view()).slots.flatMap(({ taken }) => taken)) {
      const call = { args: [JSON.stringify({ trial: TRIAL, participant })] };
      const { payload } = await this.ledger.evaluate('acme', 'trial:line', call);
      points.push(...(JSON.parse(payload) as ParticipantView).points);
    }
    return this.act('tally', 'cro', 'lock', { ...lockRootOf(points), reason: 'last visit done' });
  }

  /** An act on a data point of visit v1, as a request; the delegate is put on the log at need. */
  async pointOf(member: string, role: string, about: Readonly<Record<string, unknown>>) {
    const { kid } = await this.delegate(member, role);
    return { visit: 'v1', form: 'vitals', delegate: kid, ...about };
  }

  async point(member: string, role: string, about: Readonly<Record<string, unknown>>): Promise<Answer<L>> {
    return this.act(member, role, 'point', await this.pointOf(member, role, about));
  }

  /** The investigator's signature of a data point at its n-th act. */
  async signatureOf(member: string, about: Readonly<Record<string, unknown>>, role = 'investigator') {
    return this.sign(await this.delegate(member, role), { visit: 'v1', form: 'vitals', ...about });
  }

  /** Brings a data point from nothing to signed, in four acts. */
  async signed(participant: string, site: string, form: string, commitment: string): Promise<void> {
    const about = { participant, form };
    await this.point(site, 'coordinator', { ...about, n: 1, act: 'enter', commitment, consent: 1 });
    await this.point('tally', 'cro', { ...about, n: 2, act: 'clean' });
    await this.point('acme', 'monitor', { ...about, n: 3, act: 'verify' });
    const signature = await this.signatureOf(site, { ...about, n: 4, commitment, meaning: 'sign' });
    await this.point(site, 'investigator', { ...about, n: 4, act: 'sign', signatures: [signature] });
  }
}
