import type { ConsentRecord } from '../consent/api';
import type { Refusal } from '../lib/refusal';
import type { PatientLink, PatientRecord } from '../patient/api';
import { leadsTo } from '../patient/links';
import { type AccessRecord, type Manifest, type Disclosure, refuse, type RequestAccess } from './api';
import { decided } from './decided';
import { type Emergency, emergencyProblem } from './emergency';
import { mayClaim } from './roles';

/** Who asks, for whom. */
export interface Asker {
  /** Member that asks. */
  readonly requester: string;
  /** Member that submits for it; absent when it does so itself. */
  readonly submittedBy?: string;
  readonly user: string;
  readonly role: string;
  /** The purpose that the asker's member vouches for. */
  readonly purpose: string;
}

/** What an access is decided on, beside the request. */
export interface Grounds {
  /** Undefined for a decoy or a patient nobody has. */
  readonly patient: PatientRecord | undefined;
  /** Every consent in force of the patient. */
  readonly consents: readonly ConsentRecord[];
  /** The last tick. */
  readonly at: string;
}

/** Refuses what cannot be decided at all; a denial is no refusal. In order of precedence. */
export function askable(
  request: RequestAccess,
  asker: Asker,
  isKnown: boolean,
  emergency: Emergency | undefined,
): Refusal | undefined {
  if (isKnown) return refuse('access-exists', 'this aid is taken: draw a new one');
  if (request.purpose !== asker.purpose) {
    return refuse('purpose-mismatch', "the request's purpose must be the one the actor claims");
  }
  if (!mayClaim(asker.role, asker.purpose)) {
    return refuse('purpose-not-claimable', "the actor's role may not claim this purpose of use");
  }
  if ((request.purpose === 'BTG') !== (request.breakGlass !== undefined)) {
    return refuse('reason-missing', 'breakGlass.reasonCode goes with purpose BTG and with no other');
  }
  return emergency && emergencyProblem(request, asker, emergency);
}

/** Refuses to go by a link that does not lead from a patient of the asker's to this one, or not any more. */
export function linkProblem(request: RequestAccess, asker: Asker, link: PatientLink | undefined): Refusal | undefined {
  if (request.link === undefined || leadsTo(link, asker.requester, request.pid)) return undefined;
  return refuse('link-not-in-force', "no link in force leads from a patient of the asker's to this one");
}

type Decidable = Pick<RequestAccess, 'aid' | 'pid' | 'purpose' | 'scope' | 'breakGlass' | 'link' | 'custodian'>;

/** Decides for each custodian asked, on the consents that count there, and says on what. Never refuses. */
export function decideAccess(request: Decidable, asker: Asker, grounds: Grounds): AccessRecord {
  const { aid, pid, purpose, scope, breakGlass, link } = request;
  const { requester, submittedBy, user, role } = asker;
  const asked = custodiansAsked(request, requester, grounds.patient);
  const { consents, at } = grounds;
  const { custodians, inputHash } = decided({ requester, user, role, purpose, scope, custodians: asked, consents, at });
  const isPermitted = Object.values(custodians).some(({ decision }) => decision === 'permit');
  return {
    aid,
    pid,
    requester,
    ...(submittedBy !== undefined && { submittedBy }),
    actor: { user, role },
    purpose,
    scope,
    ...(breakGlass && { breakGlass }),
    ...(link !== undefined && { link }),
    decision: isPermitted ? 'permit' : 'deny',
    custodians,
    consents: consents.map(({ consentId, version }) => ({ consentId, version })),
    inputHash,
    at,
  };
}

/** A custodian anchors what it delivered under an access that permitted it. Refusals in order of precedence. */
export function disclose(
  request: Manifest,
  custodian: string,
  access: AccessRecord | undefined,
  isKnown: boolean,
  now: string,
): Disclosure | Refusal {
  const decision = access && Object.hasOwn(access.custodians, custodian) ? access.custodians[custodian] : undefined;
  if (decision === undefined) return refuse('unknown-access', 'no access of this id asks the calling custodian');
  // What left while the ledger was away has left, whatever the ledger says of it now.
  if (decision.decision === 'deny' && access?.late === undefined) {
    return refuse('not-permitted', 'the access does not permit a disclosure');
  }
  if (isKnown) return refuse('manifest-exists', 'this manifestId is taken: draw a new one');
  const { aid, manifestId, root, count } = request;
  return { aid, manifestId, custodian, root, count, disclosed: now };
}

/** Whether a member may read an access record: who asked, who submitted, who was asked, and the witness. */
export function mayRead(access: AccessRecord, member: string, isWitness: boolean): boolean {
  const parties = [access.requester, access.submittedBy, ...Object.keys(access.custodians)];
  return isWitness || parties.includes(member);
}

function custodiansAsked(request: Decidable, requester: string, patient: PatientRecord | undefined): string[] {
  return Object.keys(patient?.custodians ?? {})
    .filter((name) => name !== requester && (request.custodian === undefined || request.custodian === name))
    .sort();
}
