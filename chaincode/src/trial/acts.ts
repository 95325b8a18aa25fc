/** What is asked during a trial: allocation, consent, data, safety. Parsers, and the request types they give. */
import {
  code,
  compactJws,
  flag,
  hex256,
  integer,
  keyId,
  list,
  object,
  oneOf,
  optional,
  type Parser,
  type PublicJwk,
  publicJwk,
  instant,
} from '../lib/schema';
import { MAX_SLOTS, parseAllotted, slotNumber } from './allotted';
import { MAX_CRITERIA, prose } from './protocol';

/** Most acts in one line: versions of a document, consents of a participant, acts on a data point. */
export const MAX_LINE = 9_999;
/** Furthest that the time in a signature may be from the proposal's, ms. */
export const SIGNING_TOLERANCE_MS = 300_000;

const place = integer(1, MAX_LINE);
const count = integer(0, 100_000_000);
const jwk: Parser<PublicJwk> = (value, path) => {
  const key = publicJwk(value, path);
  code(key.kid, `${path}.kid`);
  return key;
};

/** A signature of somebody on the delegation log, 21 CFR 11.50: who, when, and by the act what it means. */
export const parseSignature = object({
  kid: code,
  signedAt: instant,
  /** Salted commitment of the printed name, which is shown where the name may be known. */
  name: hex256,
  statement: compactJws,
});
/** A signature. */
export type Signature = ReturnType<typeof parseSignature>;

/** Parser of CommitList. */
export const parseCommitList = object({ trial: code, stratum: code, root: hex256, kits: list(code, 1, MAX_SLOTS) });
/** The commitment to a stratum's list. */
export type CommitList = ReturnType<typeof parseCommitList>;
/** Parser of the approval of a list. */
export const parseApproveList = object({ trial: code, stratum: code, hash: hex256, signature: parseSignature });
/** Parser of KeepArms: a list in clear, to the allocator's own collection. */
export const parseKeepArms = object({ trial: code, stratum: code, slots: parseAllotted, salt: hex256 });
/** A list in clear and the salt it is kept with. */
export type KeepArms = ReturnType<typeof parseKeepArms>;
/** Parser of Reveal. */
export const parseReveal = object({ trial: code, stratum: code, slots: parseAllotted });
/** A list in clear. */
export type Reveal = ReturnType<typeof parseReveal>;

/** Parser of PublishDocument. */
export const parsePublishDocument = object({
  trial: code,
  version: place,
  translations: list(object({ language: code, hash: hex256 }), 1, 100),
  optionalParts: list(code, 0, 50),
  reconsentBy: optional(instant),
});
/** A version of the consent document. */
export type PublishDocument = ReturnType<typeof parsePublishDocument>;
/** Parser of AdoptDocument. */
export const parseAdoptDocument = object({ trial: code, version: place, hash: hex256, signature: parseSignature });
/** The ethics committee's word on a version of the document. */
export type AdoptDocument = ReturnType<typeof parseAdoptDocument>;

/** Parser of Delegate: somebody of the calling member, in the role of the log. */
export const parseDelegate = object({
  trial: code,
  role: oneOf(
    ...(['investigator', 'coordinator', 'pharmacist', 'monitor', 'cro', 'statistician', 'sponsor', 'board'] as const),
    ...(['supply-operator', 'ethics', 'regulator'] as const),
  ),
  jwk,
});
/** A delegation. */
export type DelegateRequest = ReturnType<typeof parseDelegate>;
/** Parser of EndDelegation. */
export const parseEndDelegation = object({ trial: code, kid: keyId });

/** Most codes by which one person is claimed; those that a person lacks are random, so that their number says nothing. */
export const MAX_CLAIM_CODES = 16;
/** Parser of Claim. */
export const parseClaim = object({
  trial: code,
  participant: code,
  /** HMACs of the person's identifiers under the trial's secret, each once. */
  hmacs: list(hex256, 1, MAX_CLAIM_CODES),
  salt: hex256,
});

/** A claim of a person. */
export type ClaimRequest = ReturnType<typeof parseClaim>;

/** Parser of NewSecret: 256 random bits, made by the first site that claims somebody. */
export const parseNewSecret = object({ trial: code, secret: hex256, salt: hex256 });
/** The secret of a trial's claims. */
export type NewSecret = ReturnType<typeof parseNewSecret>;
/** Parser of ReadSecret. */
export const parseReadSecret = object({ trial: code });

/** Parser of Consent. */
export const parseConsent = object({
  trial: code,
  participant: code,
  n: place,
  document: place,
  language: code,
  /** The optional parts agreed to. */
  parts: list(code, 0, 50),
  /** The participant's own key; the same from consent to consent. */
  jwk,
  statement: compactJws,
  countersignature: parseSignature,
});
/** A participant's consent to a version of the document. */
export type ConsentRequest = ReturnType<typeof parseConsent>;

/** Parser of Withdraw. */
export const parseWithdraw = object({
  trial: code,
  participant: code,
  n: place,
  withdrawn: oneOf('keep-data', 'use-no-data'),
  statement: compactJws,
});
/** A participant's withdrawal. */
export type WithdrawRequest = ReturnType<typeof parseWithdraw>;

/** Parser of RestrictUse. */
export const parseRestrictUse = object({ trial: code, participant: code, n: place, isRestricted: flag });
/** The site's word on whether the participant's consents deny the sponsor's people the contents. */
export type RestrictUse = ReturnType<typeof parseRestrictUse>;

/** Parser of Eligible. */
export const parseEligible = object({
  trial: code,
  participant: code,
  criteria: list(object({ id: code, commitment: hex256 }), 0, MAX_CRITERIA),
});
/** The site's word that every criterion is met. */
export type EligibleRequest = ReturnType<typeof parseEligible>;

/** Parser of Enrol. */
export const parseEnrol = object({ trial: code, participant: code, stratum: code, slot: slotNumber, consent: place });
/** An enrolment: proposes the lowest slot that seems free. */
export type EnrolRequest = ReturnType<typeof parseEnrol>;

/** Parser of UnblindOne. */
export const parseUnblindOne = object({ trial: code, stratum: code, slot: slotNumber, reason: prose, delegate: code });
/** An emergency unblinding. */
export type UnblindRequest = ReturnType<typeof parseUnblindOne>;

/** Parser of TellArm: the wish of the one person, signed, with the public key that the answer is sealed for. */
export const parseTellArm = object({ trial: code, stratum: code, slot: slotNumber, to: jwk, statement: compactJws });
/** A wish to be told one arm. */
export type TellArm = ReturnType<typeof parseTellArm>;
/** What the allocator's gateway learns, to seal it for that person. */
export interface ToldArm {
  readonly arm: string;
  readonly kit: string;
  /** The member that enrolled the participant and whose door-side asks. */
  readonly site: string;
}

/** Parser of what the board does to a whole trial: halts it, resumes it. */
export const parseBoardAct = object({ trial: code, reason: prose, signature: parseSignature });
/** A halt, or its end. */
export type BoardAct = ReturnType<typeof parseBoardAct>;

/** Parser of Lock. */
export const parseLock = object({
  trial: code,
  root: hex256,
  points: count,
  acts: count,
  reason: prose,
  signature: parseSignature,
});
/** The lock of a whole data base. */
export type Lock = ReturnType<typeof parseLock>;
/** Parser of Unlock. */
export const parseUnlock = object({ trial: code, reason: prose, signatures: list(parseSignature, 2, 2) });
/** The end of a lock. */
export type Unlock = ReturnType<typeof parseUnlock>;

/** Acts on a data point. */
export const pointActs = [
  ...(['enter', 'correct', 'query', 'propose', 'answer', 'clean', 'verify', 'sign'] as const),
  ...(['freeze', 'lock-point', 'unlock-point'] as const),
] as const;
/** One of `pointActs`. */
export type PointAct = (typeof pointActs)[number];

/** Parser of PointRequest. */
export const parsePoint = object({
  trial: code,
  participant: code,
  visit: code,
  form: code,
  n: place,
  act: oneOf(...pointActs),
  /** Key id, on the delegation log, of who does it. */
  delegate: code,
  /** With enter: the newest consent. */
  consent: optional(place),
  /** With enter and correct: salted commitment of the content. */
  commitment: optional(hex256),
  reason: optional(prose),
  /** With query, propose, answer: its id. */
  query: optional(code),
  /** With sign one, with unlock-point two. */
  signatures: optional(list(parseSignature, 1, 2)),
});
/** An act on a data point: one form at one visit. */
export type PointRequest = ReturnType<typeof parsePoint>;

const causality = oneOf('related', 'unrelated');

const reported = {
  trial: code,
  event: code,
  n: place,
  participant: code,
  isSerious: flag,
  /** Fatal or life-threatening. */
  isFatal: flag,
  severity: oneOf('mild', 'moderate', 'severe'),
  causality,
  awareAt: instant,
};
/** Parser of ReportEvent as a site writes it, before its content is committed to. */
export const parseReportedEvent = object(reported);
/** Parser of ReportEvent. */
export const parseReportEvent = object({ ...reported, commitment: hex256 });
/** An adverse event as the investigator reports it, or follows it up. */
export type ReportEvent = ReturnType<typeof parseReportEvent>;
/** Parser of AssessEvent. */
export const parseAssessEvent = object({ trial: code, event: code, n: place, causality, isUnexpected: flag });
/** The sponsor's own assessment, beside the investigator's. */
export type AssessEvent = ReturnType<typeof parseAssessEvent>;
const submitted = { trial: code, event: code, n: place };
/** Parser of SubmitEvent as a sponsor writes it, before its content is committed to. */
export const parseSubmittedEvent = object(submitted);
/** Parser of SubmitEvent. */
export const parseSubmitEvent = object({ ...submitted, commitment: hex256 });
/** A report to the regulator. */
export type SubmitEvent = ReturnType<typeof parseSubmitEvent>;
/** Parser of AcknowledgeEvent: what was submitted, or as the sponsor what the site reported, has come. */
export const parseAcknowledgeEvent = parseSubmitEvent;
/** The word of whom it was owed to that it has the content under the commitment. */
export type AcknowledgeEvent = SubmitEvent;
