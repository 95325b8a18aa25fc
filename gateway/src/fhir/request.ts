/** What the FHIR router is asked and what it answers, free of any HTTP library; and what it asks of other rooms. */
import type { FindSmartServer } from '../identity/smart.js';
import type { Actor, Commit, Idempotency, RecordWriter, StoredVersion, WriteCondition } from '../ports.js';
import type { BundleParts } from './bundle-text.js';
import type { JsonObject } from './json.js';
import type { Pace } from './pace.js';

/** A request with its actor already vouched for. */
export interface FhirRequest {
  readonly method: string;
  /** Below the base, without query and leading slash: `Patient/1`. */
  readonly path: string;
  /** Query string and, for `_search`, form fields after it. Repeated names mean AND. */
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The body's text, unparsed. */
  readonly body?: string;
  readonly actor: Actor;
  /** Set by the router: when the answer may leave. */
  readonly pace?: Pace;
}

/** A response for any HTTP library to send. */
export interface FhirResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A resource, or its JSON text where it can be passed on as it is; absent = no body. */
  readonly resource?: JsonObject | string;
  /** What the resource's text was put together from, where it is a searchset's. */
  readonly parts?: BundleParts;
  /** Content of another media type, instead of a resource. */
  readonly bytes?: Uint8Array;
  /** A body too long to be held, in pieces, instead of a resource. */
  readonly lines?: AsyncIterable<string>;
}

/** A FHIR interface: what answers requests, whatever stands in front of it. */
export type Fhir = (request: FhirRequest) => Promise<FhirResponse>;

/** What is done to a resource, by its FHIR word; `include` for what comes with a search. */
export type Interaction =
  'read' | 'vread' | 'history' | 'search' | 'include' | 'operation' | 'create' | 'update' | 'patch' | 'delete';

/** Decides for the gateway (consent's `decide` and the role table); asked for every resource of every answer. */
export interface Decision {
  /** What the actor may see of the version: itself, a redacted form, or nothing. A deletion has no text. */
  permit(actor: Actor, stored: StoredVersion, interaction: Interaction): StoredVersion | undefined;
  /**
   * Whether the actor may see anything of a patient's record at all (FHIR id): false says for sure that `permit` lets
   * nothing of it through, at a cost that does not grow with the record.
   */
  opens(actor: Actor, patient: string): boolean;
  /** Whether `permit` lets every version of the type through unchanged: totals may then be counted without asking it. */
  unrestricted(actor: Actor, type: string): boolean;
  /** Whether the actor may do this to resources of the type at all; throws Refusal forbidden when not. */
  allow(actor: Actor, type: string, interaction: Interaction): void;
}

/** Reads at the patient's custodian when the patient is not ours (access/). Each throws Refusal. */
export interface Remote {
  /** Whether another member keeps a resource under this id: ids are unique in the consortium. */
  holds(type: string, id: string): boolean;
  /** Undefined when nobody holds it, or nobody lets the actor see it: both look the same. */
  read(request: FhirRequest, of: RemoteInstance): Promise<FhirResponse | undefined>;
  /** A page of an instance's history, or the version alone that is named; undefined as for read. */
  history(request: FhirRequest, of: RemoteInstance, version?: number): Promise<FhirResponse | undefined>;
  /** A searchset of the first of the types, which it looks at all, for the patient; undefined as for read. */
  search(request: FhirRequest, types: readonly string[], patient: string): Promise<FhirResponse | undefined>;
  everything(request: FhirRequest, patient: string): Promise<FhirResponse | undefined>;
}

/** A resource that another member may keep, in the record of a patient (FHIR id): of a Patient, itself. */
export interface RemoteInstance {
  readonly type: string;
  readonly id: string;
  readonly patient: string;
}

/** Whose chart an answer is of: `$everything`, or a search of one type. */
export interface Chart {
  /** FHIR id of a patient kept here. */
  readonly patient: string;
  /** Types that the search looks at, the one it finds first; absent = `$everything`. */
  readonly types?: readonly string[];
}

/** Joins an answer about an own patient with what other custodians hold of the same person; gives it back where none do. */
export type Join = (request: FhirRequest, local: FhirResponse, chart: Chart) => Promise<FhirResponse>;

/** What other custodians show of a person: entries of a searchset, the note on it among them; and its tag. */
export interface FoundElsewhere {
  readonly entries: readonly JsonObject[];
  readonly tag: object;
}

/** Looks for a person at other custodians by what a Patient says; undefined where nobody is asked. Throws Refusal. */
export type Elsewhere = (request: FhirRequest, patient: JsonObject) => Promise<FoundElsewhere | undefined>;

/** A domain's own handling of a resource type; `proceed` is what the router would do. */
export type TypeHandler = (
  request: FhirRequest,
  interaction: Interaction,
  proceed: (request: FhirRequest) => Promise<FhirResponse>,
) => Promise<FhirResponse>;

/** What is served of a type that a domain handles itself; of every other type all is. Nothing of it is conditional. */
export interface Served {
  /** Codes of CapabilityStatement.rest.resource.interaction. */
  readonly interactions: readonly string[];
  /** Search parameters; absent = those of R4. */
  readonly parameters?: readonly string[];
  /** Told to whoever asks for more. */
  readonly instead: string;
  /** Further elements of its CapabilityStatement.rest.resource. */
  readonly declared?: JsonObject;
}

/** Bulk imports (import/). Each throws Refusal. */
export interface Imports {
  begin(request: FhirRequest): FhirResponse;
  /** What is under way, for officers. */
  list(request: FhirRequest): FhirResponse;
  /** 202 with how far it is, then the manifest. */
  status(request: FhirRequest, id: string): FhirResponse;
  /** An OperationOutcome for each line of a file that is not taken. */
  problems(request: FhirRequest, id: string, file: string): FhirResponse;
  end(request: FhirRequest, id: string): FhirResponse;
}

/** Subscriptions to topics (subscription/). Each throws Refusal. */
export interface Subscriptions {
  /** Of one, or of all that the asker made. */
  status(request: FhirRequest, id?: string): FhirResponse;
  /** What the subscriber was told, or should have been. */
  events(request: FhirRequest, id: string): Promise<FhirResponse>;
  /** A token that binds a websocket to one, or to all that the asker made for a websocket. */
  bindingToken(request: FhirRequest, id?: string): FhirResponse;
}

/** How a write of unknown outcome ended (ledger/, outbox): undefined = no such key. */
export type WriteStatus = (
  actor: Actor,
  key: string,
) => Promise<{ readonly state: 'committed' | 'failed' | 'unknown'; readonly location?: string } | undefined>;

/** What makes the ids of what a retry under a key makes again the same at all of the member's gateways. */
export interface Stable {
  /** A secret function of a text. */
  readonly codeOf: (text: string) => string;
}

/** What the FHIR room asks of the others; what is absent is not served. */
export interface FhirPorts {
  /** Absolute, such as `http://127.0.0.1:8101/fhir/R4`. */
  readonly baseUrl: string;
  readonly writer: RecordWriter;
  readonly decision: Decision;
  /** The member whose record it is: Provenance is derived of its writes; absent = none is. */
  readonly member?: string;
  readonly remote?: Remote;
  /** Absent = the own record alone. */
  readonly join?: Join;
  /** Absent = $match compares the own patients alone. */
  readonly elsewhere?: Elsewhere;
  readonly writeStatus?: WriteStatus;
  /** Absent = $import is not served. */
  readonly imports?: Imports;
  /** Absent = nobody can subscribe. */
  readonly subscriptions?: Subscriptions;
  /** Absent = there is one gateway. */
  readonly stable?: Stable;
  /** The commit of an earlier request under the same key, at any of the member's gateways; absent = nobody knows. */
  readonly earlier?: (actor: Actor, idempotency: Idempotency) => Promise<Commit | undefined>;
  /** The state of criteria of a type, from the projection as it is now; absent = nobody else writes. */
  readonly conditionOf?: (type: string, criteria: string) => WriteCondition;
  /** Whose tokens are accepted, for the CapabilityStatement; absent = it does not say. */
  readonly smart?: FindSmartServer;
  /** By resource type. */
  readonly handlers?: Readonly<Record<string, TypeHandler>>;
  /** What is served of the types that are handled so, by resource type. */
  readonly served?: Readonly<Record<string, Served>>;
  /** Operations that are answered in front of the router, by the type they are one of; '' = of the server. */
  readonly operations?: Readonly<Record<string, readonly string[]>>;
}
