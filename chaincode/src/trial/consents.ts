/** Consent documents, consents of participants, withdrawal, the gate. Pure. */
import { digest } from '../lib/canonical';
import type { Refusal } from '../lib/refusal';
import type { ConsentRequest, EligibleRequest, PublishDocument, RestrictUse, WithdrawRequest } from './acts';
import type { Protocol } from './protocol';
import type {
  Act,
  ConsentRecord,
  DelegateRecord,
  DocumentRecord,
  EligibleRecord,
  InForceRecord,
  UseRecord,
} from './records';
import { refuse } from './refusals';
import { delegation, says, signed } from './signatures';

/** Publishes a version of the consent document; the ethics committee puts it in force. */
export function publishDocument(
  request: PublishDocument,
  before: DocumentRecord | undefined,
  there: DocumentRecord | undefined,
  act: Act,
): DocumentRecord | Refusal {
  const { reconsentBy, ...rest } = request;
  if (there !== undefined || (request.version > 1 && before === undefined)) {
    return refuse('version-out-of-line', 'send the next number');
  }
  const draft = { ...rest, ...(reconsentBy !== undefined && { reconsentBy }) };
  return { ...draft, hash: digest(draft), ...act };
}

/** Puts a document version in force. */
export function adoptDocument(
  hash: string,
  record: DocumentRecord | undefined,
  inForce: InForceRecord | undefined,
  act: Act,
): InForceRecord | Refusal {
  if (record?.hash !== hash) return refuse('unknown-document', 'there is no version of the document with this hash');
  if (inForce !== undefined && record.version <= inForce.version) {
    return refuse('version-out-of-line', 'this or a later version is in force');
  }
  const { version, reconsentBy } = record;
  const own = reconsentBy === undefined ? [] : [{ before: version, by: reconsentBy }];
  const deadlines = [...(inForce?.deadlines ?? []), ...own];
  return { version, hash, ...(deadlines.length > 0 && { deadlines }), ...act };
}

/** A participant's place in the line of consents. */
export interface ConsentStanding {
  readonly newest: ConsentRecord | undefined;
  /** One after the one named is there: the caller named an old one. */
  readonly hasNext: boolean;
  readonly inForce: InForceRecord | undefined;
}

/**
 * Refuses a procedure without a consent that holds. Under an earlier version it holds until the first deadline that a
 * version after it set, whatever came since; `clock` is the last tick, and undefined where only the version in force will do.
 */
export function consentGate({ newest, hasNext, inForce }: ConsentStanding, clock?: string): Refusal | undefined {
  if (newest === undefined || inForce === undefined) return refuse('no-consent', 'the participant has not consented');
  if (hasNext) return refuse('consent-out-of-line', 'name the newest consent of the participant');
  if (newest.withdrawn !== undefined) return refuse('consent-withdrawn', 'the participant withdrew');
  if (newest.document === inForce.version) return undefined;
  const { document } = newest;
  const isOver = (inForce.deadlines ?? []).some(({ before, by }) => document < before && (clock ?? '') > by);
  if (clock !== undefined && !isOver) return undefined;
  return refuse(
    'consent-superseded',
    'a newer version of the document is in force: the participant consents to it first',
  );
}

/** What a consent is judged by. */
export interface ConsentFacts {
  readonly channel: string;
  readonly before: ConsentRecord | undefined;
  readonly there: ConsentRecord | undefined;
  readonly document: DocumentRecord | undefined;
  readonly inForce: InForceRecord | undefined;
  readonly investigator: DelegateRecord | undefined;
}

/** A consent: signed by the participant over the version presented, and countersigned. */
export function consent(request: ConsentRequest, facts: ConsentFacts, act: Act): ConsentRecord | Refusal {
  const { trial, participant, n, document, language, parts, jwk, statement, countersignature } = request;
  const { channel, before, document: presented, investigator } = facts;
  const problem = lineProblem(n, facts) ?? documentProblem(request, facts) ?? delegation(investigator, act.by);
  if (problem !== undefined) return problem;
  const content = { channel, trial, participant, n, document, language, hash: hashOf(presented, language), parts };
  const isOwnKey = before === undefined || before.jwk.x === jwk.x;
  if (!isOwnKey || !says(statement, jwk, content)) {
    return refuse('signature-invalid', "the participant's own key must sign exactly this version and these parts");
  }
  const countersigned = { ...content, meaning: 'counter-signature', statement };
  const wrong = signed(countersignature, investigator, countersigned, act.at);
  if (wrong !== undefined) return wrong;
  const signatures = { statement, countersigned: countersignature.statement };
  return { participant, n, document, language, parts, jwk, ...signatures, ...act };
}

function hashOf(document: DocumentRecord | undefined, language: string): string | undefined {
  return document?.translations.find((each) => each.language === language)?.hash;
}

function lineProblem(n: number, { before, there }: Pick<ConsentFacts, 'before' | 'there'>): Refusal | undefined {
  if (there === undefined && (n === 1 || before !== undefined)) return undefined;
  return refuse('consent-out-of-line', 'send the next number of the participant');
}

function documentProblem(request: ConsentRequest, { document, inForce }: ConsentFacts): Refusal | undefined {
  if (document === undefined || inForce === undefined)
    return refuse('unknown-document', 'no such document is in force');
  if (document.version !== inForce.version) return refuse('consent-superseded', 'present the version in force');
  const isKnown = document.translations.some(({ language }) => language === request.language);
  const areParts = request.parts.every((part) => document.optionalParts.includes(part));
  return isKnown && areParts ? undefined : refuse('unknown-document', 'it has no such translation or optional part');
}

/** A withdrawal, signed with the key that consented. */
export function withdraw(
  request: WithdrawRequest,
  { channel, before, there }: Pick<ConsentFacts, 'channel' | 'before' | 'there'>,
  act: Act,
): ConsentRecord | Refusal {
  const { trial, participant, n, withdrawn, statement } = request;
  if (before === undefined) return refuse('no-consent', 'there is no consent to withdraw');
  const line = lineProblem(n, { before, there }) ?? takenBack(before, withdrawn);
  if (line !== undefined) return line;
  if (before.by.member !== act.by.member) return refuse('not-your-participant', 'another site has the consent');
  if (!says(statement, before.jwk, { channel, trial, participant, n, withdrawn })) {
    return refuse('signature-invalid', 'the key that consented must sign exactly this withdrawal');
  }
  const { document, language, parts, jwk } = before;
  return { participant, n, document, language, parts, jwk, statement, withdrawn, ...act };
}

/** A withdrawal is only ever made stricter. */
function takenBack({ withdrawn }: ConsentRecord, now: WithdrawRequest['withdrawn']): Refusal | undefined {
  const isStricter = withdrawn === 'keep-data' && now === 'use-no-data';
  if (withdrawn === undefined || isStricter) return undefined;
  return refuse('consent-withdrawn', 'the participant withdrew; only "use-no-data" may follow "keep-data"');
}

/** What a restriction of use is judged by. */
export interface UseFacts {
  /** Where the participant consented first. */
  readonly site: string | undefined;
  readonly before: UseRecord | undefined;
  readonly there: UseRecord | undefined;
}

/** Whether consents beside the trial's own restrict the use of what was collected: each step says what changed. */
export function restrictUse(
  { participant, n, isRestricted }: RestrictUse,
  { site, before, there }: UseFacts,
  act: Act,
): UseRecord | Refusal {
  if (site === undefined) return refuse('no-consent', 'there is no such participant');
  if (site !== act.by.member) return refuse('not-your-participant', 'another site has the consent');
  const isNext = there === undefined && (n === 1 || before !== undefined);
  if (isNext && isRestricted !== (before?.isRestricted ?? false)) return { participant, n, isRestricted, ...act };
  return refuse('use-out-of-line', 'send the next number of the participant, and what changed');
}

/** What a declaration of eligibility is judged by. */
export interface EligibilityFacts {
  /** The version in force, and its criteria. */
  readonly version: number;
  readonly criteria: Protocol['criteria'];
  readonly known: EligibleRecord | undefined;
  /** Where the participant consented first. */
  readonly site: string | undefined;
}

/** The site's word on every criterion of the version in force, one by one, in order; nobody is screened who did not consent. */
export function declareEligible(
  { criteria }: EligibleRequest,
  { version, criteria: asked, known, site }: EligibilityFacts,
  act: Act,
): EligibleRecord | Refusal {
  if (known !== undefined) return refuse('already-declared', 'eligibility by this version is declared');
  const isWhole = criteria.length === asked.length && criteria.every(({ id }, index) => id === asked[index]);
  if (!isWhole) return refuse('not-eligible', 'answer every criterion of the version in force, in its order');
  if (site === undefined) return refuse('no-consent', 'the participant consents before eligibility is asked');
  if (site !== act.by.member) return refuse('not-your-participant', 'another site has the consent');
  return { version, criteria, ...act };
}
