/** Reads at a patient's custodians: asks for access on the ledger, then at the doors of those that permit it. */
import { randomUUID } from 'node:crypto';

import type { AccessScope, BreakGlass } from '@salus/chaincode/access/api';

import type { DoorCaller, DoorQuestion } from '../door/caller.js';
import type { ReadTransaction } from '../door/evidence.js';
import type { JsonObject } from '../fhir/json.js';
import type { FhirRequest, FhirResponse, Remote } from '../fhir/request.js';
import type { KnownPatient } from '../patient/lookup.js';
import type { Actor } from '../ports.js';
import { checkedBundle, uncheckedBundle } from './checked.js';
import { askEarly, type EarlyPorts } from './early.js';
import { askInEmergency, scopeOf, type EmergencyAct, type EmergencyPorts } from './emergency.js';
import { HeldAccesses } from './held.js';
import { incompleteEntry, incompleteTag, missingEntry } from './note.js';
import { askOutside, type OutsidePorts } from './outside.js';
import type { Permitted } from './permitted.js';
import { newAccessId, requestAccess, type AskedAccess, type RequestPorts } from './request.js';
import { entriesOf, isCovered, mayAsk, nextOf, searchPath, typeOf, withQuery } from './searchsets.js';

/** Pages of one custodian followed for `$everything` at most. */
export const MAX_PAGES = 100;
/** Parameter of a searchset's further pages. */
const CURSOR = '_cursor';

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

  async read(request: FhirRequest, type: string, id: string): Promise<FhirResponse | undefined> {
    if (type !== 'Patient') return undefined;
    const base = this.ports.holdsCare ? 'Patient/' : 'Patient?_id=';
    const path = (patientId: string): string => `${base}${patientId}`;
    const permitted = await this.#access(request, id, { types: [type], interaction: 'read', id }, { path });
    const bundles = paced(request, await this.#ask(permitted, request.actor, path));
    const found = bundles.flatMap(({ bundle }) => entriesOf(bundle)).find((entry) => typeOf(entry) === type);
    const resource = found?.resource as JsonObject | undefined;
    if (resource === undefined) return undefined;
    const { versionId, lastUpdated } = metaOf(resource);
    const headers = {
      ...(versionId === undefined ? {} : { ETag: `W/"${versionId}"` }),
      ...(lastUpdated === undefined ? {} : { 'Last-Modified': new Date(lastUpdated).toUTCString() }),
    };
    return { status: 200, headers, resource };
  }

  async search(request: FhirRequest, type: string, patient: string): Promise<FhirResponse | undefined> {
    const scope: AccessScope = { types: [type], interaction: 'search' };
    const path = (id: string): string => searchPath(type, request.query, id);
    const goneOn = await this.#ask(this.#heldFor(request, patient, scope), request.actor, path);
    // Whom a door shows nothing any more asks on the ledger like anybody else.
    const bundles = goneOn.some(({ bundle }) => entriesOf(bundle).length > 0)
      ? goneOn
      : paced(request, await this.#ask(await this.#access(request, patient, scope, { path }), request.actor, path));
    return this.#merged(request.actor, bundles, bundles.length === 1);
  }

  async everything(request: FhirRequest, patient: string): Promise<FhirResponse | undefined> {
    const path = (patientId: string): string => withQuery(`Patient/${patientId}/$everything`, request.query);
    const permitted = await this.#access(request, patient, { types: [], interaction: 'everything' }, { path });
    if (permitted === undefined) return undefined;
    const bundles = paced(request, await this.#ask(permitted, request.actor, path, MAX_PAGES));
    return bundles.every(({ bundle }) => entriesOf(bundle).length === 0)
      ? undefined
      : this.#merged(request.actor, bundles, false);
  }

  /** Entries that a linked patient's custodian shows: a search's of the type, or everything. Throws Refusal. */
  async byLink(request: FhirRequest, link: AskedLink, type: string | undefined): Promise<readonly JsonObject[]> {
    const scope: AccessScope =
      type === undefined ? { types: [], interaction: 'everything' } : { types: [type], interaction: 'search' };
    const { linkId, custodian, pid, patientId } = link;
    const patient = { pid, custodians: { [custodian]: { patientId } } };
    const path = (id: string): string =>
      type === undefined ? withQuery(`Patient/${id}/$everything`, request.query) : searchPath(type, request.query, id);
    const permitted = await this.#asked(request, patient, { pid, scope, link: linkId, custodian }, path);
    const bundles = paced(request, await this.#ask(permitted, request.actor, path, MAX_PAGES));
    return bundles.flatMap(({ bundle }) => entriesOf(bundle));
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
    const { resource } = this.#merged(actor, [...bundles, ...missing.map(missingBundle)], false);
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
    if (permitted?.at !== undefined && scope.interaction === 'search') {
      const { aid, at, custodians } = permitted;
      const held = { aid, at, custodians, patient: permitted.patient };
      this.#held.keep({ actor: asking.actor, patient: patientId, scope }, at, held);
    }
    return permitted;
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
    const taken = requestAccess(this.ports, actor, what);
    // While the ledger works: nobody waits for a proof or a line then.
    const early = patient && path && askEarly(this.ports, { aid: what.aid, actor, patient }, path);
    const record = await taken;
    const custodians = Object.keys(record.custodians).filter((name) => record.custodians[name]?.decision === 'permit');
    if (patient !== undefined && custodians.length > 0) {
      return { aid: record.aid, at: record.at, patient, custodians, ...(early && { early }) };
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
    const checked = isLate ? uncheckedBundle : checkedBundle;
    const bundles: CustodianBundle[] = [];
    try {
      const ask = (path: string) => this.ports.doors.ask({ custodian, aid, actor: { user, role }, path });
      // A door that was asked early and did not see the access in time is asked again, now that it is committed.
      let answer = (await early) ?? (await ask(first));
      while (answer !== undefined) {
        bundles.push({ custodian, bundle: await checked(this.ports, custodian, answer) });
        const next = bundles.length < most ? nextOf(answer) : undefined;
        answer = next === undefined ? undefined : await ask(next);
      }
    } catch (error) {
      this.ports.onMissing(custodian, error);
      bundles.push(missingBundle(custodian));
    }
    return bundles;
  }

  /** As far as the asker's scopes cover the types. */
  #merged(actor: Actor, bundles: readonly CustodianBundle[], paged: boolean): FhirResponse {
    const [first] = bundles;
    const next = paged && first !== undefined ? nextOf(first.bundle) : undefined;
    const resource = {
      resourceType: 'Bundle',
      meta: { tag: [incompleteTag] },
      type: 'searchset',
      ...(next === undefined ? {} : { link: [{ relation: 'next', url: `${this.ports.baseUrl}/${next}` }] }),
      entry: [...bundles.flatMap(({ bundle }) => entriesOf(bundle)).filter(isCovered(actor)), incompleteEntry],
    };
    return { status: 200, headers: {}, resource };
  }
}

/** What came of breaking the glass. */
export interface EmergencyAnswer {
  /** The access: what a second act follows. */
  readonly aid: string;
  /** Custodians that opened. */
  readonly custodians: readonly string[];
  /** Custodians whose privacy officer is asked. */
  readonly waiting: readonly string[];
  /** Custodians that could not be asked; the bundle says so. */
  readonly missing: readonly string[];
  /** A searchset, as of `$everything`. */
  readonly bundle: JsonObject;
}

/** A patient at a custodian, or a decoy's pid alone. */
export type SoughtPatient =
  | { readonly pid: string; readonly custodian: string; readonly patientId: string }
  | { readonly pid: string; readonly custodian?: undefined; readonly patientId?: undefined };

/** A patient whom a link leads to. */
export interface AskedLink {
  readonly linkId: string;
  readonly pid: string;
  readonly custodian: string;
  /** FHIR id at that custodian. */
  readonly patientId: string;
}

/** The bundles; where there is nothing in them, the answer leaves when one does for which access was denied. */
function paced({ pace }: FhirRequest, bundles: readonly CustodianBundle[]): readonly CustodianBundle[] {
  if (bundles.every(({ bundle }) => entriesOf(bundle).length === 0)) pace?.askedInVain();
  return bundles;
}

/** What is asked of a custodian, by the patient's FHIR id there. */
type PathAt = (patientId: string) => string;

/** Whose pages are asked for, and the first one's answer where the door was asked early. */
interface Paging extends Pick<DoorQuestion, 'custodian' | 'aid'> {
  readonly actor: Actor;
  readonly isLate: boolean;
  readonly early: Promise<JsonObject | undefined> | undefined;
}

/** In place of a custodian's answer. */
function missingBundle(custodian: string): CustodianBundle {
  return { custodian, bundle: { resourceType: 'Bundle', entry: [missingEntry(custodian)] } };
}

interface CustodianBundle {
  readonly custodian: string;
  readonly bundle: JsonObject;
}

function metaOf(resource: JsonObject): { versionId?: string; lastUpdated?: string } {
  return resource.meta ?? {};
}
