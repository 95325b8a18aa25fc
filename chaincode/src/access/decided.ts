import type { ConsentRecord } from '../consent/api';
import { asInForce, mayAskAtAll } from '../consent/decide';
import { digest } from '../lib/canonical';
import type { AccessRecord, AccessScope, CustodianDecision } from './api';

/** Everything that an access is decided on: deciding again on the same gives the same. */
export interface Inputs {
  /** Member that asks. */
  readonly requester: string;
  readonly user: string;
  readonly role: string;
  readonly purpose: string;
  readonly scope: AccessScope;
  /** Custodians asked, in their order. */
  readonly custodians: readonly string[];
  /** Every consent in force of the patient, in the order of the list. */
  readonly consents: readonly Considered[];
  /** The last tick. */
  readonly at: string;
}

/** What of a consent's version is decided on. */
export type Considered = Pick<ConsentRecord, 'consentId' | 'version' | 'countsAt' | 'consent'>;

/** What was decided for each custodian. */
export interface Decided {
  readonly custodians: Readonly<Record<string, CustodianDecision>>;
  /** SHA-256 of the RFC 8785 form of the inputs. */
  readonly inputHash: string;
}

/** Decides for each custodian on the consents that count there. Pure. */
export function decided(inputs: Inputs): Decided {
  const { consents, custodians, ...asked } = inputs;
  const read = consents.map(({ consentId, version, countsAt, consent }) => ({ consentId, version, countsAt, consent }));
  const decisions = custodians.map((custodian) => [custodian, decideFor(custodian, inputs)] as const);
  return {
    custodians: Object.fromEntries(decisions),
    inputHash: digest({ ...asked, custodians, consents: read }),
  };
}

/** An access decided again on the consents it names, as they are found now; its inputHash tells whether they are the same. */
export function decidedAgain(record: AccessRecord, consents: readonly Considered[]): Decided {
  const { requester, actor, purpose, scope, at } = record;
  const custodians = Object.keys(record.custodians).sort();
  return decided({ requester, ...actor, purpose, scope, custodians, consents, at });
}

function decideFor(custodian: string, { requester, user, role, purpose, consents, at }: Inputs): CustodianDecision {
  const counting = consents.filter(({ countsAt }) => countsAt.includes(custodian)).map(asInForce);
  const decision = mayAskAtAll({ custodian, member: requester, user, role, purpose, action: 'access' }, counting, at);
  return {
    decision: decision.outcome,
    path: decision.rule,
    ...(decision.consent && { consent: { consentId: decision.consent.id, version: decision.consent.version } }),
    obligations: decision.obligations,
  };
}
