/** Puts together what one gateway shares: patients, consents, accesses, the read log and the door. */
import type { Server } from 'node:https';

import { logged, loggedWork, type LoggedPorts } from '../access/logged.js';
import { MemberReads, readLogFile } from '../access/member-reads.js';
import { ReadLog } from '../access/read-log.js';
import { joined } from '../access/joined.js';
import { outsideHeard } from '../access/outside.js';
import { RemoteReads } from '../access/remote.js';
import { auditHandler } from '../access/resource.js';
import { recordAskedEnd } from '../consent/asked-end.js';
import { withClosure } from '../consent/closure.js';
import { ConsentDecision } from '../consent/decision.js';
import { LabellingWriter } from '../consent/labelling-writer.js';
import { withEvaluation } from '../consent/evaluate.js';
import { consentHooks, onBeat } from '../consent/hooks.js';
import { consentHandler } from '../consent/resource.js';
import { Mandates } from '../consent/mandates.js';
import { ConsentShelf } from '../consent/shelf.js';
import { TrustedConsents } from '../consent/trusted.js';
import { stableBy } from '../fhir/idempotency.js';
import type { Fhir, Join, TypeHandler } from '../fhir/request.js';
import { BrokenGlass } from '../glass/open.js';
import { fhirBase } from '../identity/issuer.js';
import { ScopedWriter } from '../identity/scoped-writer.js';
import { Wallet } from '../keys/wallet.js';
import { endorsersTogether } from '../ledger/endorsers.js';
import { custodialSigner } from '../patient/custody.js';
import { Hospital } from '../patient/hospital.js';
import { PatientKeys } from '../patient/keys.js';
import { PatientLinks } from '../patient/links.js';
import { PatientLookup } from '../patient/lookup.js';
import { withPatientOperations } from '../patient/operations.js';
import type { Actor, RecordWriter } from '../ports.js';
import { DoorCaller } from './caller.js';
import { Supply } from '../supply/open.js';
import { trialsHeard } from '../trial/heard.js';
import { keepUp } from './keeping.js';
import { Manifests } from './manifests.js';
import { openDoor } from './server.js';
import type { SharingPorts } from './sharing-ports.js';

/** Milliseconds an answer waits for the projection to show what was written. */
const REACH_MS = 10_000;

/** What the FHIR interface takes from here, and what must be started beside it. */
export class Sharing {
  readonly decision: ConsentDecision;
  readonly remote: RemoteReads;
  /** Of the types Consent and AuditEvent. */
  readonly handlers: Readonly<Record<string, TypeHandler>>;
  /** Keeps to the token's scopes, labels what is written, and registers patients before their first record. */
  readonly writer: RecordWriter;
  readonly patientKeys: PatientKeys;
  readonly lookup: PatientLookup;
  /** What is done for patients, at hospitals. */
  readonly hospital: Hospital | undefined;
  /** Who may come for a patient who is kept here. */
  readonly mandates: Mandates;
  /** Packs, from the line to the patient. */
  readonly supply: Supply;
  readonly #log: ReadLog;
  readonly #reads: MemberReads;
  readonly #caller: DoorCaller;
  readonly #manifests: Manifests;
  readonly #shelf: ConsentShelf;
  readonly #wallet: Wallet;
  readonly #glass: BrokenGlass;
  readonly #trusted: TrustedConsents;
  readonly #links: PatientLinks;

  constructor(private readonly ports: SharingPorts) {
    const { settings, ledger, keys, projection, signingKey, clock } = ports;
    this.lookup = new PatientLookup(projection, keys, settings.member);
    this.#links = new PatientLinks(projection, this.lookup, settings.member, settings.channel);
    this.#shelf = new ConsentShelf(projection);
    const pseudonym = (subject: string): string => keys.pseudonym(subject);
    this.mandates = new Mandates({ index: projection, pseudonym, now: this.#now });
    this.#log = new ReadLog(readLogFile(settings.dataDir, settings.gateway));
    this.#reads = new MemberReads(settings.dataDir);
    this.#caller = new DoorCaller({ settings, directory: ports.directory, signingKey, clock });
    this.#manifests = new Manifests({ ledger, onUnanchored: this.#failing('manifest-not-anchored') });
    this.supply = new Supply({ ...ports, ask: this.say });
    this.patientKeys = new PatientKeys(keys, ledger, { facts: projection, member: settings.member });
    this.#wallet = new Wallet(keys);
    this.#trusted = this.#checking();
    const beside = { lookup: this.lookup, say: this.say, onMissing: this.#onMissing, now: this.#now };
    this.#glass = new BrokenGlass({ ...ports, ...beside });
    this.decision = new ConsentDecision({
      member: settings.member,
      lookup: this.lookup,
      shelf: this.#shelf,
      trusted: this.#trusted,
      ...{ index: projection, keys },
      isBroken: this.#glass.isBroken,
      now: this.#now,
    });
    const writer = new LabellingWriter(ports.writer, projection);
    const { lookup, patientKeys } = this;
    const rooms = { ...ports, lookup, patientKeys, wallet: this.#wallet, reached: this.#reached, now: this.#now };
    this.hospital = this.#isHospital ? new Hospital(rooms) : undefined;
    this.writer = new ScopedWriter(this.hospital?.writer(writer) ?? writer);
    this.remote = this.#remote();
    this.handlers = this.#handlers();
  }

  /** The FHIR interface with every local read logged, and with the operations on patients' keys and on what closed a patient. */
  logged(fhir: Fhir): Fhir {
    const { patientKeys, decision, mandates } = this;
    const own = { ...this.ports, ...this.#lookedAt, patientKeys, decision, mandates };
    const patients = { ...own, links: this.#links, reached: this.#reached };
    const withConsents = withClosure(withPatientOperations(fhir, patients), this.#lookedAt);
    const withOperations = withEvaluation(withConsents, this.#lookedAt);
    return logged(this.#glass.inFrontOf(withOperations, this.#lookedAt, this.remote), this.#logPorts);
  }

  /** What the FHIR interface works with. */
  get context() {
    const { writer, decision, remote, join, handlers } = this;
    const found = this.hospital && { elsewhere: this.hospital.elsewhere(remote) };
    return { writer, decision, remote, join, handlers, ...found };
  }

  /** Joins what links lead to to an answer about an own patient. */
  readonly join: Join = (request, local, chart) => {
    const { lookup, remote } = this;
    return joined({ lookup, remote, links: this.#links, onMissing: this.#onMissing }, request, local, chart);
  };

  /** The CDS Hooks services, whose answers are logged as reads. */
  readonly hooks: Fhir = async (request) => {
    const opens = (actor: Actor, patient: string) => this.decision.opens(actor, patient);
    const ports = { ...this.#lookedAt, baseUrl: fhirBase(this.ports.settings.baseUrl), opens };
    return await onBeat(logged((asked) => consentHooks(ports, asked), this.#logPorts))(request);
  };

  /** A read beside the FHIR interface, logged before its result is given out. Throws Refusal. */
  async read<T>(actor: Actor, what: string, work: () => Promise<T>): Promise<T> {
    return await loggedWork(this.#logPorts, { actor, what }, work);
  }

  /** Asks another member's door something under a path. */
  readonly say = (member: string, path: string, words: object): Promise<unknown> =>
    this.#caller.say(member, path, words);

  /** Opens the door. `fhir` answers from the own record alone: it has no way to other members. */
  async open(fhir: Fhir): Promise<Server> {
    const { settings, projection } = this.ports;
    return await openDoor({
      ...this.ports,
      heard: {
        ...this.supply.heard,
        ...trialsHeard(this.ports),
        ...outsideHeard({ ...this.ports, lookup: this.lookup }),
        ...this.#glass.heard(this.#trusted),
      },
      ...{ member: settings.member, lookup: this.lookup, trusted: this.#trusted },
      ...this.#glass.atDoor,
      current: (type, id) => projection.current(type, id),
      findKey: (kid) => this.ports.directory.ownerOf(kid),
      fhir,
      decision: this.decision,
      version: (type, id, version) => projection.version(type, id, version),
      consentVersion: (id) => projection.current('Consent', id)?.version,
      keeps: (member, id) => {
        const patient = projection.current('Consent', id)?.patient ?? '';
        return Object.hasOwn(this.lookup.byId(patient)?.custodians ?? {}, member);
      },
      recordEnd: (end) => recordAskedEnd(this.#saying(), end),
      onUnrecorded: this.#failing('withdrawal-not-recorded'),
      now: this.#now,
      manifests: this.#manifests,
    });
  }

  /** Brings onto the ledger what was opened while it was away until the signal aborts. */
  readonly bringLate = (signal: AbortSignal): Promise<void> => this.#glass.run(signal);

  /** Keeps the read log anchored, guardians' keys in time and patients listed until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { patientKeys, mandates } = this;
    const kept = { ...this.ports, mspId: this.ports.settings.mspId, log: this.#log, patientKeys, mandates };
    await Promise.all([keepUp(kept, signal), this.hospital?.run(signal), this.bringLate(signal)]);
  }

  async close(): Promise<void> {
    await this.#manifests.settled();
    await this.#caller.close();
    this.#reads.close();
    this.#log.close();
  }

  get #logPorts(): LoggedPorts {
    return { decision: this.decision, log: this.#log, now: this.#now };
  }

  get #isHospital(): boolean {
    return this.ports.settings.roles.includes('hospital');
  }

  /** What it takes to look at a patient's consents, on that patient's list. */
  get #lookedAt() {
    const { projection } = this.ports;
    return {
      ...this.#saying(),
      ...{ facts: projection, index: projection },
      shelf: this.#shelf,
      lookup: this.lookup,
      now: this.#now,
      version: (type: string, id: string, version: number) => projection.version(type, id, version),
      shown: (patient: string) => {
        this.decision.shown(patient);
      },
    };
  }

  /** What it takes to record versions of consents. */
  #saying() {
    const { settings, memory, ledger, writer, projection } = this.ports;
    return {
      member: settings.member,
      channel: settings.channel,
      ledger,
      writer,
      memory,
      trusted: this.#trusted,
      signForPatient: custodialSigner(this.#wallet, this.patientKeys),
      current: (type: string, id: string) => projection.current(type, id),
      pidOf: (patientId: string) => this.lookup.pidOf(patientId),
    };
  }

  #checking(): TrustedConsents {
    const { settings, memory, projection, keys, alarm } = this.ports;
    return new TrustedConsents({
      member: settings.member,
      mspId: settings.mspId,
      channel: settings.channel,
      ...{ facts: projection, applied: projection },
      shelf: this.#shelf,
      memory,
      patientKeys: this.patientKeys,
      now: this.#now,
      alarm: (what, pid) => {
        // A pid stands in no log: the code leads to it through this member's key store alone.
        alarm(what, { patient: keys.hmac('lookup', pid).slice(0, 16) });
      },
    });
  }

  #remote(): RemoteReads {
    const { settings, ledger, projection, transaction, directory, signingKey, clock } = this.ports;
    const { member, channel } = settings;
    return new RemoteReads({
      ...{ member, channel, signingKey, say: this.say, projection, clock },
      holdsCare: this.#isHospital,
      baseUrl: fhirBase(settings.baseUrl),
      ...{ ledger, lookup: this.lookup, doors: this.#caller, transaction, shelf: this.#shelf },
      endorsers: () => endorsersTogether('care', member, directory),
      ...{ late: this.#glass.asking, onMissing: this.#onMissing },
    });
  }

  #handlers(): Readonly<Record<string, TypeHandler>> {
    const { settings, ledger, directory, projection, keys } = this.ports;
    const own = { member: settings.member, baseUrl: fhirBase(settings.baseUrl), lookup: this.lookup };
    return {
      Consent: consentHandler({
        ...own,
        ...this.#saying(),
        ...{ ledger, projection, stable: stableBy(keys), shelf: this.#shelf, reached: this.#reached },
        askCustodian: this.#caller.askEnd,
        tellDoors: this.#caller.tell,
      }),
      AuditEvent: auditHandler({
        ...own,
        ...this.#lookedAt,
        reads: this.#reads,
        // As the network knows a member: the own gateway by its address, another's by its door.
        addressOf: (name) =>
          (name === own.member ? own.baseUrl : directory.doorUrl(name)) ?? `urn:salus:member:${name}`,
      }),
    };
  }

  #failing(what: string): (error: unknown) => void {
    return (error) => {
      this.ports.alarm(what, { error: String(error) });
    };
  }

  readonly #onMissing = (custodian: string, error: unknown): void => {
    this.ports.alarm('custodian-missing', { custodian, error: String(error) });
  };

  readonly #reached = (block: number): Promise<boolean> => this.ports.projection.reached(block, REACH_MS);

  readonly #now = (): string => new Date(this.ports.clock()).toISOString();
}
