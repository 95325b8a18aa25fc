/**
 * Candidates for a person at other hospitals: found by look-up codes in the projection of `care`, and shown as far as the
 * patient lets the asker read the Patient there. Each is asked for as an access of its own, and where nobody is found a
 * decoy is, so that it looks and costs the same.
 */
import { quarterBefore, quarterOf } from '@salus/chaincode/patient/api';

import type { JsonObject } from '../fhir/json.js';
import type { FhirRequest, FoundElsewhere } from '../fhir/request.js';
import { confinedTo } from '../identity/scopes.js';
import { codeOf, listedIdentifiers, type ListedIdentifier } from '../patient/codes.js';
import type { CodeSecrets } from '../patient/code-secrets.js';
import { Refusal } from '../ledger/refusal.js';
import type { Facts, PatientLookup } from '../patient/lookup.js';
import { CODE_SPACE } from '../patient/project.js';
import type { Actor } from '../ports.js';
import type { Directory } from '../registry/directory.js';
import { incompleteEntry, incompleteTag, unaskedEntry } from './note.js';
import type { RemoteReads } from './remote.js';
import type { SoughtPatient } from './sought.js';

/** Candidates asked for, for one person. */
const MOST_ASKED = 5;

/** Where candidates are found and asked for. */
export interface CandidatePorts {
  readonly member: string;
  readonly directory: Pick<Directory, 'names' | 'roles'>;
  readonly facts: Pick<Facts, 'facts'>;
  readonly lookup: PatientLookup;
  readonly secrets: Pick<CodeSecrets, 'find'>;
  readonly remote: Pick<RemoteReads, 'candidate'>;
  /** FHIR instant. */
  readonly now: () => string;
}

/** Entries of a searchset; undefined where nobody is asked: without a listed identifier, or by whom no look-up is for. */
export async function candidatesElsewhere(
  ports: CandidatePorts,
  request: FhirRequest,
  patient: JsonObject,
): Promise<FoundElsewhere | undefined> {
  const identifiers = listedIdentifiers(patient);
  if (identifiers.length === 0 || !mayLookUp(request.actor)) return undefined;
  const entries = await askedFor(ports, request, identifiers).catch(unasked);
  return { entries: [...entries, incompleteEntry], tag: incompleteTag };
}

async function askedFor(
  ports: CandidatePorts,
  request: FhirRequest,
  identifiers: readonly ListedIdentifier[],
): Promise<readonly JsonObject[]> {
  const found = await sought(ports, identifiers);
  const decoy = ports.lookup.decoy(`look-up\n${JSON.stringify(identifiers)}`);
  const asked: readonly SoughtPatient[] = found.length > 0 ? found : [{ pid: decoy }];
  const answers = await Promise.all(asked.map((each) => ports.remote.candidate(request, each)));
  return answers.flat();
}

/** While the ledger is away nobody is asked, known there or not; the own patients are no worse known for it. */
function unasked(error: unknown): readonly JsonObject[] {
  if (error instanceof Refusal && error.category === 'unavailable') return [unaskedEntry];
  throw error;
}

/** Patients look at their own record alone; in an emergency each hospital is told why before it shows anything. */
function mayLookUp(actor: Actor): boolean {
  return actor.patient === undefined && confinedTo(actor) === undefined && actor.purpose !== 'BTG';
}

/** Whose codes these identifiers have: under the quarter's secret, and under the one before while it is not retired. */
async function sought(
  { member, directory, facts, lookup, secrets, now }: CandidatePorts,
  identifiers: readonly ListedIdentifier[],
): Promise<readonly SoughtPatient[]> {
  const quarter = quarterOf(now());
  const kept = await Promise.all([quarter, quarterBefore(quarter)].map((each) => secrets.find(each)));
  const hospitals = directory.names.filter((name) => name !== member && directory.roles(name).includes('hospital'));
  const found = new Map<string, SoughtPatient>();
  const codes = kept
    .filter((each) => each !== undefined)
    .flatMap((secret) => hospitals.map((custodian) => ({ secret, custodian })))
    .flatMap((by) =>
      identifiers.map((identifier) => `${codeOf(by.secret, by.custodian, identifier)}/${by.custodian}/`),
    );
  for (const { key, value: pid } of codes.flatMap((code) => facts.facts(CODE_SPACE, code))) {
    const [, custodian = ''] = key.split('/');
    const patientId = lookup.byPid(pid)?.custodians[custodian]?.patientId;
    if (patientId !== undefined) found.set(`${custodian}/${pid}`, { pid, custodian, patientId });
  }
  return [...found.values()].slice(0, MOST_ASKED);
}
