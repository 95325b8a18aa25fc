/** Reads at a patient's custodians: asks for access on the ledger, then at the doors of those that permit it. */
import { randomUUID } from 'node:crypto';

import type { AccessScope, BreakGlass } from '@salus/chaincode/access/api';

import type { DoorCaller, DoorQuestion } from '../door/caller.js';
import type { ReadTransaction } from '../door/evidence.js';
import type { JsonObject } from '../fhir/json.js';
import type { FhirRequest, FhirResponse, Remote, RemoteInstance } from '../fhir/request.js';
import type { KnownPatient } from '../patient/lookup.js';
import type { Actor } from '../ports.js';
import { bundleOf, instanceIn, missingBundle, paced, requireAnswered, type CustodianBundle } from './answers.js';
import { checkedBundle, uncheckedBundle } from './checked.js';
import { EarlyQuestion, type EarlyPorts } from './early.js';
import { askInEmergency, scopeOf, type EmergencyAct, type EmergencyPorts } from './emergency.js';
import { HeldAccesses } from './held.js';
import { incompleteEntry } from './note.js';
import { askOutside, type OutsidePorts } from './outside.js';
import type { Permitted } from './permitted.js';
import { newAccessId, requestAccess, type AskedAccess, type RequestPorts } from './request.js';
import type { AskedLink, EmergencyAnswer, SoughtPatient } from './sought.js';
import { historyPath, isOfHistory, nextIn } from './histories.js';
import {
  entriesOf,
  isCovered,
  isDecidedWithin,
  mayAsk,
  narrowedBy,
  nextOf,
  searchPath,
  shapedBy,
  shapesOf,
  wholeOf,
  withParameters,
  withQuery,
} from './searchsets.js';

/** Pages of one custodian followed for `$everything` at most. */
export const MAX_PAGES = 100;
/** Parameter of a searchset's further pages. */
const CURSOR = '_cursor';
/** What has further pages, on which it goes on under the same access. */
const PAGED: readonly AccessScope['interaction'][] = ['search', 'history'];

/** What remote reads need of this member's gateway: ledger, doors, and who its patients are. */
export interface RemotePorts extends OutsidePorts, RequestPorts, EmergencyPorts, EarlyPorts {
  /** Whether this member holds `care`: hospitals do. */
  readonly holdsCare: boolean;
  readonly baseUrl: string;
  readonly doors: Pick<DoorCaller, 'ask' | 'breakGlass'>;
  readonly transaction: ReadTransaction;
  /** Hears of a custodian whose answer is missing or does not agree with the ledger. */
  readonly onMissing: (custodian: string, error: unknown) => void;
}

/** Reads at other members' doors. */
export class RemoteReads implements Remote {
  readonly #held: HeldAccesses<Permitted>;

  constructor(private readonly ports: RemotePorts) {
    this.#held = new HeldAccesses(ports.clock);
  }

  holds(type: string, id: string): boolean {
    const { lookup } = this.ports;
    return type === 'Patient' && !lookup.keeps(id) && lookup.pidOf(id) !== undefined;
  }

  async read(request: FhirRequest, { type, id, patient }: RemoteInstance): Promise<FhirResponse | undefined> {
    // Whose id an id may be is given to the custodian alone, but that of the Patient, which the asker's gateway knows.
    const scope: AccessScope = { types: [type], interaction: 'read', ...(type === 'Patient' ? { id } : {}) };
    const own = (patientId: string): string =>
      this.ports.holdsCare ? `Patient/${patientId}` : `Patient?_id=${patientId}`;
    const path = type === 'Patient' ? own : (): string => `${type}/${id}`;
    const permitted = await this.#access(request, patient, scope, { path });
    return instanceIn(request, type, paced(request, await this.#ask(permitted, request.actor, path)));
  }

  async history(
    request: FhirRequest,
    { type, id, patient }: RemoteInstance,
    version?: number,
  ): Promise<FhirResponse | undefined> {
    const scope: AccessScope = { types: [type], interaction: 'history' };
    const path = (own: string): string => historyPath(request.query, [type, type === 'Patient' ? own : id], version);
    const bundles = await this.#page(request, patient, scope, path);
    if (version !== undefined) return instanceIn(request, type, bundles);
    const { actor, query } = request;
    const entry = bundles
      .flatMap(({ bundle }) => entriesOf(bundle))
      .filter((each) => isOfHistory(each) && (each.resource === undefined || isCovered(actor)(each)));
    if (entry.length === 0) {
      requireAnswered(bundles);
      return undefined;
    }
    const next = bundles.map(({ bundle }) => nextIn(bundle, query)).find((each) => each !== undefined);
    const { baseUrl } = this.ports;
    return bundleOf('history', { baseUrl, request, next }, entry.map(shapedBy(query)));
  }

  async search(request: FhirRequest, types: readonly string[], patient: string): Promise<FhirResponse | undefined> {
    const [type = ''] = types;
    if (!isDecidedWithin(request, type, patient)) return this.#merged(request, paced(request, []), false);
    const asked = narrowedBy(request.actor, type, wholeOf(request.query));
    const path = (id: string): string => searchPath(type, asked, id);
    const bundles = await this.#page(request, patient, { types, interaction: 'search' }, path);
    return this.#merged(request, bundles, bundles.length === 1);
  }

  async everything(request: FhirRequest, patient: string): Promise<FhirResponse | undefined> {
    const path = (patientId: string): string => withQuery(`Patient/${patientId}/$everything`, request.query);
    const permitted = await this.#access(request, patient, { types: [], interaction: 'everything' }, { path });
    if (permitted === undefined) return undefined;
    const bundles = paced(request, await this.#ask(permitted, request.actor, path, MAX_PAGES));
    return bundles.every(({ bundle }) => entriesOf(bundle).length === 0)
      ? undefined
      : this.#merged(request, bundles, false);
  }

  /** Entries that a linked patient's custodian shows: a search's of the first of the types, or everything. Throws Refusal. */
  async byLink(request: FhirRequest, link: AskedLink, types: readonly string[] = []): Promise<readonly JsonObject[]> {
    const [type] = types;
    const scope: AccessScope = { types, interaction: type === undefined ? 'everything' : 'search' };
    const { actor, query } = request;
    const { linkId, custodian, pid, patientId } = link;
    const patient = { pid, custodians: { [custodian]: { patientId } } };
    const path = (id: string): string =>
      type === undefined
        ? withQuery(`Patient/${id}/$everything`, query)
        : searchPath(type, narrowedBy(actor, type, wholeOf(query)), id);
    const permitted = await this.#asked(request, patient, { pid, scope, link: linkId, custodian }, path);
    const bundles = paced(request, await this.#ask(permitted, actor, path, MAX_PAGES));
    return bundles.flatMap(({ bundle }) => entriesOf(bundle)).map(shapedBy(query));
  }

  /** Entries that a custodian shows of a patient found by an identifier, or of nobody under a decoy. Throws Refusal. */
  async candidate(request: FhirRequest, { pid, custodian, patientId }: SoughtPatient): Promise<readonly JsonObject[]> {
    const patient = custodian === undefined ? undefined : { pid, custodians: { [custodian]: { patientId } } };
    const scope: AccessScope = { types: ['Patient'], interaction: 'read', id: patientId ?? randomUUID() };
    const permitted = await this.#asked(request, patient, { pid, scope });
    const bundles = paced(request, await this.#ask(permitted, request.actor, (id) => `Patient/${id}`));
    return bundles.flatMap(({ bundle }) => entriesOf(bundle)).filter(isCovered(request.actor));
  }

  /** In an emergency: asks, gives custodians the reason, then asks those that open; undefined as for read. Throws Refusal. */
  async emergency(request: FhirRequest, patient: string, act: EmergencyAct): Promise<EmergencyAnswer | undefined> {
    const opened = await askInEmergency(this.ports, request, patient, act, (breakGlass) =>
      this.#access(request, patient, scopeOf(breakGlass), { breakGlass }),
    );
    if (opened === undefined) return undefined;
    const { permitted, waiting, missing } = opened;
    const { actor } = request;
    const path = (patientId: string): string => `Patient/${patientId}/$everything`;
    const bundles = paced(request, await this.#ask(permitted, actor, path, MAX_PAGES));
    const { resource } = this.#merged(request, [...bundles, ...missing.map(missingBundle)], false);
    return { aid: permitted.aid, custodians: permitted.custodians, waiting, missing, bundle: resource as JsonObject };
  }

  /** Asks on the ledger. A patient nobody has costs the same, under a decoy; undefined where nobody permits. */
  async #access(
    asking: FhirRequest,
    patientId: string,
    scope: AccessScope,
    { breakGlass, path }: { readonly breakGlass?: BreakGlass; readonly path?: PathAt },
  ): Promise<Permitted | undefined> {
    const { lookup, holdsCare } = this.ports;
    if (!holdsCare) return await this.#outside(asking, patientId, scope);
    const patient = mayAsk(asking.actor, patientId) ? lookup.byId(patientId) : undefined;
    // What was typed and is nobody's id may be anything, a name too; the record is shared by all hospitals.
    const named = patient === undefined && scope.id !== undefined ? { ...scope, id: randomUUID() } : scope;
    const what = { pid: patient?.pid ?? lookup.decoy(patientId), breakGlass, scope: named };
    const permitted = await this.#asked(asking, patient, what, path);
    if (permitted?.at !== undefined && PAGED.includes(scope.interaction)) {
      const { aid, at, custodians } = permitted;
      const held = { aid, at, custodians, patient: permitted.patient };
      this.#held.keep({ actor: asking.actor, patient: patientId, scope }, at, held);
    }
    return permitted;
  }

  /** A page of each custodian's answer: a further one under the access of the page before. */
  async #page(
    request: FhirRequest,
    patient: string,
    scope: AccessScope,
    path: PathAt,
  ): Promise<readonly CustodianBundle[]> {
    const goneOn = await this.#ask(this.#heldFor(request, patient, scope), request.actor, path);
    // Whom a door shows nothing any more asks on the ledger like anybody else.
    if (goneOn.some(({ bundle }) => entriesOf(bundle).length > 0)) return goneOn;
    const permitted = await this.#access(request, patient, scope, { path });
    return paced(request, await this.#ask(permitted, request.actor, path));
  }

  /** The access that the page before was given under. */
  #heldFor({ actor, query }: FhirRequest, patient: string, scope: AccessScope): Permitted | undefined {
    return query.has(CURSOR) && mayAsk(actor, patient) ? this.#held.find({ actor, patient, scope }) : undefined;
  }

  /** By the custodian that the asker names; what was decided its door says. */
  async #outside(asking: FhirRequest, patientId: string, scope: AccessScope): Promise<Permitted | undefined> {
    if (!mayAsk(asking.actor, patientId)) return undefined;
    // The id is given to the custodian alone: whoever it may be lies not in the record that all hospitals share.
    const { id, ...named } = scope;
    const asked = await askOutside(this.ports, asking, patientId, {
      ...named,
      ...(id === undefined ? {} : { interaction: 'search' }),
    });
    if (asked === undefined) return undefined;
    const { aid, custodian } = asked;
    return { aid, patient: { pid: '', custodians: { [custodian]: { patientId } } }, custodians: [custodian] };
  }

  async #asked(
    { actor, pace }: FhirRequest,
    patient: KnownPatient | undefined,
    asked: Omit<AskedAccess, 'aid'>,
    path?: PathAt,
  ): Promise<Permitted | undefined> {
    const what = { aid: newAccessId(), ...asked };
    const early = patient && path && new EarlyQuestion(this.ports, { aid: what.aid, actor, patient, path });
    const record = await requestAccess(this.ports, actor, what, early?.ask);
    const custodians = Object.keys(record.custodians).filter((name) => record.custodians[name]?.decision === 'permit');
    if (patient !== undefined && custodians.length > 0) {
      return { aid: record.aid, at: record.at, patient, custodians, ...(early && { early: early.answers }) };
    }
    pace?.askedInVain();
    return undefined;
  }

  /** Every permitting custodian's pages, checked; none where access was denied. */
  async #ask(
    permitted: Permitted | undefined,
    actor: Actor,
    path: PathAt,
    pages = 1,
  ): Promise<readonly CustodianBundle[]> {
    if (permitted === undefined) return [];
    const { aid, patient, custodians, early, isLate = false } = permitted;
    const asked = custodians.map(async (custodian) => {
      const patientId = patient.custodians[custodian]?.patientId;
      if (patientId === undefined) return [];
      const question = { custodian, aid, actor, isLate, early: early?.get(custodian) };
      return await this.#pages(question, path(patientId), pages);
    });
    return (await Promise.all(asked)).flat();
  }

  async #pages(
    { custodian, aid, actor: { user, role }, isLate, early }: Paging,
    first: string,
    most: number,
  ): Promise<CustodianBundle[]> {
    // Further pages, too, are of what was asked for: their links the custodian wrote.
    const checked = (answer: JsonObject): Promise<JsonObject> =>
      isLate ? uncheckedBundle(this.ports, custodian, answer) : checkedBundle(this.ports, custodian, answer, first);
    const bundles: CustodianBundle[] = [];
    try {
      const ask = (path: string) => this.ports.doors.ask({ custodian, aid, actor: { user, role }, path });
      // A door that was asked early and did not see the access in time is asked again, now that it is committed.
      let answer = (await early) ?? (await ask(first));
      while (answer !== undefined) {
        bundles.push({ custodian, bundle: await checked(answer) });
        const next = bundles.length < most ? nextOf(answer) : undefined;
        answer = next === undefined ? undefined : await ask(next);
      }
    } catch (error) {
      this.ports.onMissing(custodian, error);
      bundles.push(missingBundle(custodian));
    }
    return bundles;
  }

  /** As far as the asker's scopes cover the types, in the shape that is asked for. */
  #merged(request: FhirRequest, bundles: readonly CustodianBundle[], paged: boolean): FhirResponse {
    const { actor, query } = request;
    const [first] = bundles;
    const following = paged && first !== undefined ? nextOf(first.bundle) : undefined;
    const shown = bundles.flatMap(({ bundle }) => entriesOf(bundle)).filter(isCovered(actor));
    const next = following === undefined ? undefined : withParameters(following, shapesOf(query));
    const asked = { baseUrl: this.ports.baseUrl, request, next };
    return bundleOf('searchset', asked, [...shown.map(shapedBy(query)), incompleteEntry]);
  }
}

/** What is asked of a custodian, by the patient's FHIR id there. */
type PathAt = (patientId: string) => string;

/** Whose pages are asked for, and the first one's answer where the door was asked early. */
interface Paging extends Pick<DoorQuestion, 'custodian' | 'aid'> {
  readonly actor: Actor;
  readonly isLate: boolean;
  readonly early: Promise<JsonObject | undefined> | undefined;
}
