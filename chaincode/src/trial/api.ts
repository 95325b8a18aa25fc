/** trial: protocol, allocation, consent, data and safety clocks of clinical trials. Public, but for arms and claims. */
import { code, flag, hex256, integer, list, object, optional, instant } from '../lib/schema';
import { parseSignature } from './acts';
import type { ReportedOutcome } from './outcomes';
import { MAX_OUTCOMES, outcomeFields, parseParties, parseProtocol, prose } from './protocol';

export * from './acts';
export { type KitRequest, parseKit } from './kit-acts';
export * from './outcomes';
export * from './protocol';
export * from './views';
export {
  partsOf,
  phases,
  playsPartOf,
  rights,
  type Action,
  type Phase,
  type RegisteredPhase,
  type TrialRole,
} from './rights';
export { refuse } from './refusals';
export { leafOf, rootOf, type Allotted } from './allotted';
export { lockRootOf } from './locked';
export { dueAtSponsor } from './safety';

/** Transactions of this domain. Every one but those said otherwise is a public write with its request as argument. */
export const transactions = {
  /** RegisterTrial: parties and version 1. */
  register: 'trial:register',
  /** RegisterVersion. */
  registerVersion: 'trial:register-version',
  /** Approve: the sponsor's own signature of a version, by its hash. */
  signVersion: 'trial:sign-version',
  /** Approve: a version, by its hash. */
  approveVersion: 'trial:approve-version',
  /** Activate: puts an approved version in force. */
  activate: 'trial:activate-version',
  /** CommitList. */
  commitList: 'trial:commit-list',
  /** Approve: a list, by its hash. */
  approveList: 'trial:approve-list',
  /** KeepArms, in the transient map; into `of-<member>` of the allocator. */
  keepArms: 'trial:keep-arms',
  /** PublishDocument: a version of the consent document. */
  publishDocument: 'trial:publish-document',
  /** AdoptDocument: the ethics committee's word puts it in force. */
  adoptDocument: 'trial:adopt-document',
  /** Delegate: a member names the key of one of its people for this trial. */
  delegate: 'trial:delegate',
  endDelegation: 'trial:end-delegation',
  /** Claim, in the transient map; into `care`: one person, one participant. */
  claim: 'trial:claim',
  /** NewSecret, in the transient map; into `care-keys`: under which sites make the codes of those whom they claim. */
  newSecret: 'trial:new-secret',
  /** Evaluate, at the own peer of a site; ReadSecret in the transient map; answers a TrialSecret as JSON. */
  secret: 'trial:secret',
  /** Consent. */
  consent: 'trial:consent',
  withdraw: 'trial:withdraw',
  /** RestrictUse: by the gateway of the participant's site, as the participant's consents decide. */
  restrictUse: 'trial:restrict-use',
  /** Eligible. */
  declareEligible: 'trial:declare-eligible',
  /** Enrol: takes the next slot of a stratum. */
  enrol: 'trial:enrol',
  /** UnblindOne: asks for one arm, which the allocator's door gives to who asked. */
  unblindOne: 'trial:unblind-one',
  /** Evaluate, at the allocator; argument TellArm; answers ToldArm as JSON, once the unblinding is on record. */
  tellArm: 'trial:tell-arm',
  /** BoardAct: halts enrolment, in force with the block; resumes it. RecordLook: an interim look. */
  halt: 'trial:halt',
  resume: 'trial:resume',
  recordLook: 'trial:record-look',
  /** Lock: the whole data base, by the root of every data point. */
  lock: 'trial:lock',
  /** Unlock: with two signatures. */
  unlock: 'trial:unlock',
  /** Reveal: a whole list, checked against its commitment. */
  reveal: 'trial:reveal',
  /** PostResults. */
  postResults: 'trial:post-results',
  /** PointAct: entry, correction, query, verification, signature ... of one data point. */
  point: 'trial:point',
  /** KitRequest: shipment, receipt, excursion, dispensing ... of one kit. */
  kit: 'trial:kit',
  /** ReportEvent, AssessEvent, SubmitEvent. */
  reportEvent: 'trial:report-event',
  assessEvent: 'trial:assess-event',
  submitEvent: 'trial:submit-event',
  /** AcknowledgeEvent: as the sponsor of a site's report, as a regulator of what the sponsor submitted. */
  acknowledgeEvent: 'trial:acknowledge-event',
  /** Evaluate; argument TrialName; answers a TrialView as JSON. */
  read: 'trial:read',
  /** Evaluate; argument LineName; answers a ParticipantView as JSON. */
  line: 'trial:line',
  /** Evaluate; argument TrialName; answers every KitRecord as JSON, in the order of their keys. */
  kits: 'trial:kits',
} as const;

/** Emitted for whom it concerns; payload names the trial and what happened, nothing personal. */
export const events = {
  versionRegistered: 'trial:version-registered',
  unblindingAsked: 'trial:unblinding-asked',
  halted: 'trial:halted',
  safetyReported: 'trial:safety-reported',
} as const;

/** A version of a protocol or of a document, or the number of an interim look. */
export const MAX_VERSION = 9_999;
/** A version's number. */
export const version = integer(1, MAX_VERSION);

/** Parser of TrialName: the argument of trial:read. */
export const parseTrialName = object({ trial: code });

/** Parser of LineName: the argument of trial:line. */
export const parseLineName = object({ trial: code, participant: code });

/** Parser of RegisterTrial. */
export const parseRegister = object({ trial: code, parties: parseParties, protocol: parseProtocol });
/** A trial's first registration. */
export type RegisterTrial = ReturnType<typeof parseRegister>;

/** Parser of RegisterVersion. */
export const parseRegisterVersion = object({
  trial: code,
  version,
  /** Hash of the version before. */
  previous: hex256,
  protocol: parseProtocol,
  /** Why; needed once the trial is active. */
  reason: optional(prose),
});
/** A further version of a protocol. */
export type RegisterVersion = ReturnType<typeof parseRegisterVersion>;

/** Parser of Approve: the signature or the approval of a version. */
export const parseApproveVersion = object({ trial: code, version, hash: hex256, signature: parseSignature });
/** The signature or the approval of a version. */
export type ApproveVersion = ReturnType<typeof parseApproveVersion>;
/** Parser of Activate. */
export const parseActivate = object({ trial: code, version });

/** Parser of RecordLook. */
export const parseLook = object({ trial: code, look: version, reason: prose });

/** Parser of PostResults. */
export const parsePostResults = object({
  trial: code,
  /** SHA-256 of the publication, lower-case hex. */
  publication: hex256,
  /** When it came out. */
  published: instant,
  outcomes: list(object<ReportedOutcome>({ ...outcomeFields, declaredNovel: optional(flag) }), 1, MAX_OUTCOMES),
});
/** Published results. */
export type PostResults = ReturnType<typeof parsePostResults>;
