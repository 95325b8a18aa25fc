/** A trial on the contracts' double: three sites, a sponsor, a regulator, an allocator, and what each signs with. */
import type { Allotted, ParticipantView, PointRecord, TrialView, VersionRecord } from '@salus/chaincode/trial/api';
import { leafOf, lockRootOf } from '@salus/chaincode/trial/api';
import { merkleRoot } from '@salus/chaincode/dist/lib/merkle.js';
import { digest } from '@salus/chaincode/dist/lib/canonical.js';
import { ContractWorld, manyMembers, random } from '../support/contract-world.js';
import { SigningKey } from '../support/signing.js';
import { chiefOf, listOf, parties, protocol, TRIAL } from './plan.js';
import type { TrialLedger } from './trial-ledger.js';

export * from './plan.js';

/** What a ledger answers to a submit. */
type Answer<L extends TrialLedger> = Awaited<ReturnType<L['submit']>>;

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

  /** Everything public of one participant. */
  async line(participant: string): Promise<ParticipantView> {
    const call = { args: [JSON.stringify({ trial: TRIAL, participant })] };
    return JSON.parse((await this.ledger.evaluate('acme', 'trial:line', call)).payload) as ParticipantView;
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
      await this.approvedList(stratum, committed.hash);
    }
  }

  async approvedList(stratum: string, hash: string): Promise<void> {
    const about = { meaning: 'approve-list', subject: `list:${stratum}`, hash };
    const signature = await this.signedBy('authority', 'regulator', about);
    await this.act('authority', 'regulator', 'approve-list', { stratum, hash, signature });
  }

  async activated(version: number): Promise<void> {
    await this.approved(version);
    await this.act('acme', 'sponsor', 'activate-version', { version });
  }

  /** Signed by the sponsor, approved by whoever must. */
  async approved(version: number): Promise<void> {
    for (const [member, role] of [
      ['acme', 'sponsor'],
      ['authority', 'ethics'],
      ['authority', 'regulator'],
    ] as const) {
      const [verb, request] = await this.approvalOf(version, member, role);
      await this.act(member, role, verb, request);
    }
  }

  /** The verb and the request with which somebody signs or approves a version. */
  async approvalOf(version: number, member: string, role: string) {
    const hash = (await this.view()).versions[version - 1]?.hash;
    const verb = role === 'sponsor' ? 'sign-version' : 'approve-version';
    const about = { meaning: verb, subject: `version:${version}`, hash };
    return [verb, { version, hash, signature: await this.signedBy(member, role, about) }] as const;
  }

  /** What the board sends to halt or resume the trial. */
  async boardAct(meaning: 'halt' | 'resume', reason: string) {
    const after = (await this.view()).status?.tx;
    return { reason, signature: await this.signedBy('tally', 'board', { meaning, reason, after }) };
  }

  async document(version: number, reconsentBy?: string): Promise<void> {
    const more = reconsentBy === undefined ? {} : { reconsentBy };
    const translations = [{ language: 'en', hash: 'b'.repeat(64) }];
    const request = { version, translations, optionalParts: ['biobank'], ...more };
    await this.act('acme', 'sponsor', 'publish-document', request);
    const hash = digest({ trial: TRIAL, ...request });
    const signature = await this.signedBy('authority', 'ethics', { meaning: 'adopt-document', version, hash });
    await this.act('authority', 'ethics', 'adopt-document', { version, hash, signature });
  }

  /** The key of somebody on the delegation log, put there at first use. */
  async delegate(member: string, role: string, name = `${member}.${role}`): Promise<SigningKey> {
    const known = this.keys.get(name);
    if (known !== undefined) return known;
    const key = new SigningKey(name);
    this.keys.set(name, key);
    await this.act(member, chiefOf(member, role), 'delegate', { role, jwk: key.jwk });
    return key;
  }

  /** A signature of a key over content, as the contracts want it. */
  sign(key: SigningKey, content: object, name = 'c'.repeat(64)) {
    const signedAt = new Date(this.ledger.clockMs).toISOString();
    const whole = { channel: 'health', trial: TRIAL, ...content, signedAt, name };
    return { kid: key.kid, signedAt, name, statement: key.sign(whole) };
  }

  /** The signature of somebody of a member in a role. */
  async signedBy(member: string, role: string, content: object) {
    return this.sign(await this.delegate(member, role), content);
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
      points.push(...(await this.line(participant)).points);
    }
    return this.act('tally', 'cro', 'lock', await this.lockOf(lockRootOf(points)));
  }

  /** A lock as a request, signed over these numbers. */
  async lockOf(numbers: { readonly root: string; readonly points: number; readonly acts: number }) {
    const asked = { ...numbers, reason: 'last visit done' };
    const after = (await this.view()).status?.tx;
    return { ...asked, signature: await this.signedBy('tally', 'cro', { meaning: 'lock', ...asked, after }) };
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
