/** A trial's protocol as everybody may read it, and the parsers of its parts. */
import { code, hex256, integer, list, memberName, object, oneOf, optional, type Parser, text } from '../lib/schema';

/** Most outcomes a protocol registers. */
export const MAX_OUTCOMES = 200;
/** Most strata of an allocation. */
export const MAX_STRATA = 100;
/** Most members that take part in one role. */
export const MAX_PARTIES = 100;
/** Most eligibility criteria, and most forms of the schedule. */
export const MAX_CRITERIA = 200;

/** A line of public prose: no control characters. */
export const prose = text(/^[^\p{Cc}]{1,2000}$/u, 'one to 2000 characters without control characters');
/** What an outcome counts for. */
export const outcomeRoles = ['primary', 'secondary', 'exploratory'] as const;
/** One of `outcomeRoles`. */
export type OutcomeRole = (typeof outcomeRoles)[number];

/** One registered outcome, in clear. */
export interface Outcome {
  /** Stays the same from version to version. */
  readonly id: string;
  readonly role: OutcomeRole;
  readonly measure: string;
  /** How the measure is summarised per participant: change from baseline, time to event ... */
  readonly metric?: string | undefined;
  readonly timeFrame: string;
  readonly analysis?: string | undefined;
}

/** How participants are allocated; block sizes stay hidden. */
export interface AllocationScheme {
  readonly scheme: 'blocks' | 'simple';
  readonly arms: readonly { readonly code: string; readonly label: string; readonly ratio: number }[];
  /** Opaque codes of the strata; one list is committed for each. */
  readonly strata: readonly string[];
}

/** One version's content. */
export interface Protocol {
  readonly title: string;
  readonly outcomes: readonly Outcome[];
  readonly sampleSize: number;
  readonly allocation: AllocationScheme;
  /** Ids of the eligibility criteria, which a site answers one by one. */
  readonly criteria: readonly string[];
  /** Visits by the schedule, and the forms that belong to each. */
  readonly visits: readonly { readonly id: string; readonly forms: readonly string[] }[];
  /** Case report forms that answers are checked by: SHA-256 of the RFC 8785 form of a FHIR Questionnaire, lower-case hex. */
  readonly forms?: readonly { readonly id: string; readonly questionnaire: string }[] | undefined;
  /** SHA-256 of the RFC 8785 form of the whole protocol document (USDM), lower-case hex. */
  readonly document: string;
}

/** Members by the part they play; fixed at registration. */
export interface Parties {
  readonly sponsor: string;
  /** Holds the lists: statistician and contract research organisation. Neither sponsor nor site. */
  readonly allocator: string;
  readonly board: string;
  readonly ethics: readonly string[];
  readonly regulators: readonly string[];
  readonly sites: readonly string[];
}

/** The members of an outcome with their parsers. */
export const outcomeFields = {
  id: code,
  role: oneOf(...outcomeRoles),
  measure: prose,
  metric: optional(prose),
  timeFrame: prose,
  analysis: optional(prose),
};

/** Parser of Protocol. */
export const parseProtocol: Parser<Protocol> = object<Protocol>({
  title: prose,
  outcomes: list(object<Outcome>(outcomeFields), 1, MAX_OUTCOMES),
  sampleSize: integer(1, 1_000_000),
  allocation: object<AllocationScheme>({
    scheme: oneOf('blocks', 'simple'),
    arms: list(object({ code, label: prose, ratio: integer(1, 100) }), 1, 20),
    strata: list(code, 1, MAX_STRATA),
  }),
  criteria: list(code, 0, MAX_CRITERIA),
  visits: list(object({ id: code, forms: list(code, 0, MAX_CRITERIA) }), 0, MAX_CRITERIA),
  forms: optional(list(object({ id: code, questionnaire: hex256 }), 0, MAX_CRITERIA)),
  document: hex256,
});

const memberList = list(memberName, 1, MAX_PARTIES);

/** Parser of Parties. */
export const parseParties: Parser<Parties> = object<Parties>({
  sponsor: memberName,
  allocator: memberName,
  board: memberName,
  ethics: memberList,
  regulators: memberList,
  sites: memberList,
});
