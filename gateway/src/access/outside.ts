/**
 * Reading by a member that does not hold `care`, for research say: it cannot ask on the ledger itself, so it signs what it
 * asks, and the custodian, which the reader names in a header, submits it. Both have it on record.
 */
import { randomBytes } from 'node:crypto';

import {
  namedPatient,
  parseSignedRequest,
  transactions,
  type AccessScope,
  type RequestAccess,
  type SignedRequest,
} from '@salus/chaincode/access/api';

import type { Heard } from '../door/server.js';
import type { FhirRequest } from '../fhir/request.js';
import type { SigningKey } from '../identity/keys.js';
import { signCanonical } from '../identity/statements.js';
import { isDeclined } from '../ledger/refusal.js';
import { byGateway } from '../ledger/vouched.js';
import type { PatientLookup } from '../patient/lookup.js';
import type { Ledger } from '../ports.js';

/** Where a door takes a signed request, below DOOR_BASE. */
const ACCESS_REQUEST_PATH = '$access-request';
/** Longest body a door reads of one, bytes. */
const MAX_ACCESS_REQUEST_BYTES = 65_536;
/** Header by which a reader names the custodian. */
const CUSTODIAN = 'x-custodian';

/** Who signs, and how the custodian is asked. */
export interface OutsidePorts {
  readonly member: string;
  readonly channel: string;
  readonly signingKey: SigningKey;
  readonly say: (member: string, path: string, words: object) => Promise<unknown>;
  /** Hears of a custodian that could not be asked. */
  readonly onMissing: (custodian: string, error: unknown) => void;
}

/** An access that a custodian submitted; what was decided its door says. */
interface OutsideAccess {
  readonly aid: string;
  readonly custodian: string;
}

/** Asks the custodian that the reader names; undefined where none is named, or none takes it. */
export async function askOutside(
  { member, channel, signingKey, say, onMissing }: OutsidePorts,
  { actor, headers }: FhirRequest,
  patient: string,
  scope: AccessScope,
): Promise<OutsideAccess | undefined> {
  const custodian = headers[CUSTODIAN];
  if (custodian === undefined) return undefined;
  const { user, role, purpose } = actor;
  const aid = randomBytes(32).toString('hex');
  const named = namedPatient({ aid, custodian, patient });
  const said: SignedRequest = {
    ...{ channel, aid, member, custodian, patient: named },
    ...{ actor: { user, role }, purpose, scope },
  };
  const request = await signCanonical(said, signingKey);
  const taken = await say(custodian, ACCESS_REQUEST_PATH, { patient, request }).catch((error: unknown) => {
    onMissing(custodian, error);
  });
  return taken === undefined ? undefined : { aid, custodian };
}

/** What a custodian needs to submit for another member. */
export interface HeardOutsidePorts {
  readonly settings: { readonly member: string };
  readonly lookup: Pick<PatientLookup, 'keeps' | 'pidOf' | 'decoy'>;
  readonly ledger: Pick<Ledger, 'submit'>;
}

/** What a custodian's door answers to who holds no `care`, by path. */
export function outsideHeard(ports: HeardOutsidePorts): Readonly<Record<string, Heard>> {
  const hear: Heard['hear'] = (teller, body) => hearOutside(ports, teller, body);
  return { [ACCESS_REQUEST_PATH]: { most: MAX_ACCESS_REQUEST_BYTES, hear } };
}

/** Submits the request; the answer is the same whether the patient is kept here or nobody. Undefined for what is no request. */
async function hearOutside(
  { settings, lookup, ledger }: HeardOutsidePorts,
  teller: string,
  body: string,
): Promise<{ readonly aid: string } | undefined> {
  const asked = askedIn(body);
  if (asked?.said.member !== teller || asked.said.custodian !== settings.member) return undefined;
  const { patient, compact, said } = asked;
  const { aid, purpose, scope } = said;
  // Asked here, too: the contract cannot compare it with nobody's id, and would so tell who is kept.
  if (said.patient !== namedPatient({ aid, custodian: settings.member, patient })) return undefined;
  const pid = (lookup.keeps(patient) ? lookup.pidOf(patient) : undefined) ?? lookup.decoy(patient);
  const salt = randomBytes(32).toString('hex');
  const request: RequestAccess = { aid, pid, purpose, scope, custodian: settings.member, onBehalfOf: compact, salt };
  const transient = byGateway(request);
  try {
    await ledger.submit({ transaction: transactions.request, transient });
    return { aid };
  } catch (error) {
    if (isDeclined(error)) return undefined;
    throw error;
  }
}

interface Asked {
  readonly patient: string;
  readonly compact: string;
  readonly said: SignedRequest;
}

/** Nothing in it is believed here but for whom it is: the contract checks the signature and what was signed. */
function askedIn(body: string): Asked | undefined {
  try {
    const { patient, request } = JSON.parse(body) as { patient?: unknown; request?: unknown };
    if (typeof patient !== 'string' || typeof request !== 'string') return undefined;
    const payload = Buffer.from(request.split('.')[1] ?? '', 'base64url').toString('utf8');
    return { patient, compact: request, said: parseSignedRequest(JSON.parse(payload), 'request') };
  } catch {
    return undefined;
  }
}
