/**
 * Exceptions of shipments: what one side reports, the other answers, and both resolve. Classes as the industry's
 * guidelines have them (HDA Exceptions Handling Guidelines for the DSCSA). What is wrong stands in both sides' own copies; the ledger holds salted hashes of it. Pure.
 */
import type { Refusal } from '../lib/refusal';
import { hex256, object, oneOf, optional, type Parser } from '../lib/schema';
import { commitmentOf, refuse } from './api';

/** Classes of exceptions. */
export const EXCEPTION_KINDS = [
  'data-issue',
  'damaged-product',
  'product-no-data',
  'data-no-product',
  'packaging',
  'product-hold',
] as const;

/** How an exception ends. */
export const RESOLUTIONS = [
  'product-delivered',
  'product-returned',
  'product-accepted',
  'product-destroyed',
  'data-corrected',
  'withdrawn',
] as const;

/** supply:report. */
export interface ReportException {
  /** 256 random bits. */
  readonly exceptionId: string;
  readonly kind: (typeof EXCEPTION_KINDS)[number];
  /** commitmentOf the other side. */
  readonly respondent: string;
  /** Salted hash of what is reported. */
  readonly terms: string;
}

/** supply:answer. */
export interface AnswerException {
  readonly exceptionId: string;
  /** Opens the respondent. */
  readonly salt: string;
  readonly answer: 'accepted' | 'disputed';
  /** Salted hash of what is answered. */
  readonly terms: string;
}

/** supply:settle: one side's word for how it ends; the other side's same word ends it. */
export interface SettleException {
  readonly exceptionId: string;
  readonly resolution: (typeof RESOLUTIONS)[number];
  /** Opens the respondent, where it settles. */
  readonly salt?: string | undefined;
}

type Side = 'reporter' | 'respondent';

/** Stored under exception/<exceptionId>. */
export interface ShipmentException extends ReportException {
  readonly reporter: string;
  readonly reported: string;
  readonly state: 'reported' | 'answered' | 'resolved';
  readonly answer?:
    { readonly word: AnswerException['answer']; readonly terms: string; readonly at: string } | undefined;
  readonly proposal?:
    { readonly by: Side; readonly resolution: SettleException['resolution']; readonly at: string } | undefined;
}

/** The calling member and the person it vouches for. */
interface Party {
  readonly member: string;
  readonly role: string;
}

const ROLES = ['supply-operator', 'pharmacist', 'quality-officer'];

/** Parser of ReportException. */
export const parseReport: Parser<ReportException> = object<ReportException>({
  exceptionId: hex256,
  kind: oneOf(...EXCEPTION_KINDS),
  respondent: hex256,
  terms: hex256,
});

/** Parser of AnswerException. */
export const parseAnswer: Parser<AnswerException> = object<AnswerException>({
  exceptionId: hex256,
  salt: hex256,
  answer: oneOf('accepted', 'disputed'),
  terms: hex256,
});

/** Parser of SettleException. */
export const parseSettle: Parser<SettleException> = object<SettleException>({
  exceptionId: hex256,
  resolution: oneOf(...RESOLUTIONS),
  salt: optional(hex256),
});

/** Opens an exception. */
export function report(
  request: ReportException,
  { member, role }: Party,
  known: ShipmentException | undefined,
  now: string,
): ShipmentException | Refusal {
  if (!ROLES.includes(role)) return refuse('not-your-role', `only these roles report: ${ROLES.join(', ')}`);
  if (known !== undefined) return refuse('exception-exists', 'this exceptionId is taken: draw a new one');
  return { ...request, reporter: member, reported: now, state: 'reported' };
}

/** The other side's answer, once. */
export function answer(
  { salt, answer: word, terms }: AnswerException,
  party: Party,
  known: ShipmentException | undefined,
  now: string,
): ShipmentException | Refusal {
  const side = sideOf(party, known, salt);
  if (side instanceof Error) return side;
  if (known === undefined || side !== 'respondent') return refuse('not-yours', 'the other side answers');
  if (known.state !== 'reported') return refuse('exception-answered', 'it is answered: settle it');
  return { ...known, state: 'answered', answer: { word, terms, at: now } };
}

/** One side's word for how it ends; it has ended when both say the same. */
export function settle(
  { resolution, salt }: SettleException,
  party: Party,
  known: ShipmentException | undefined,
  now: string,
): ShipmentException | Refusal {
  const side = sideOf(party, known, salt ?? '');
  if (side instanceof Error) return side;
  if (known?.state === 'reported') return refuse('exception-not-answered', 'the other side answers first');
  if (known?.state !== 'answered') return refuse('exception-resolved', 'both sides resolved it');
  const { proposal } = known;
  const isAgreed = proposal !== undefined && proposal.by !== side && proposal.resolution === resolution;
  if (isAgreed) return { ...known, state: 'resolved' };
  return { ...known, proposal: { by: side, resolution, at: now } };
}

function sideOf({ member, role }: Party, known: ShipmentException | undefined, salt: string): Side | Refusal {
  if (!ROLES.includes(role)) return refuse('not-your-role', `only these roles settle: ${ROLES.join(', ')}`);
  // Who is no side of it learns nothing of whether it is there.
  if (known !== undefined && commitmentOf(member, salt) === known.respondent) return 'respondent';
  return known?.reporter === member
    ? 'reporter'
    : refuse('unknown-exception', 'no exception of this member has this id');
}
