/**
 * Whether a patient's consents deny a member's people what a trial collected of the patient. The trial's own consent, which the
 * patient signed there, is decided on as one among the patient's: a denial stands before it, but for the default denial of a consent
 * that lists what it permits. Where no other speaks, one for research that permitted and was withdrawn (inactive, rejected) denies.
 */
import type { StoredConsent } from '@salus/chaincode/consent/api';
import {
  asInForce,
  decide,
  factsOf,
  type AccessRequest,
  type ConsentInForce,
  type Decision,
} from '@salus/chaincode/consent/decide';

import type { PatientLookup } from '../patient/lookup.js';
import { Relationships, type RelationshipPorts } from './relationships.js';
import { type ConsentShelf, inBlockOrder } from './shelf.js';
import type { TrustedConsents } from './trusted.js';

/** What deciding needs. */
export interface ResearchPorts extends RelationshipPorts {
  readonly member: string;
  readonly lookup: Pick<PatientLookup, 'pidOf'>;
  readonly shelf: Pick<ConsentShelf, 'versions'>;
  readonly trusted: Pick<TrustedConsents, 'toOthers'>;
}

/** Who reads contents of a trial beyond the site, and for what. */
const READERS = ['sponsor', 'monitor'];
const PURPOSE = 'CLINTRCH';
/** What contents are. */
const CONTENT = factsOf({ resourceType: 'QuestionnaireResponse' });
const WITHDRAWN: readonly StoredConsent['status'][] = ['inactive', 'rejected'];
const RESEARCH = { coding: [{ code: 'research' }] };
/** The trial's own consent, as a consent: its id is none that a resource can have. */
const TRIALS_OWN: ConsentInForce = {
  ...{ id: '', version: 1 },
  care: {
    ...{ resourceType: 'Consent', status: 'active', scope: RESEARCH },
    provision: { type: 'permit', purpose: [{ code: PURPOSE }] },
  },
};

/** Whether they do; a patient who is closed to other members is denied. */
export function deniesResearch(ports: ResearchPorts, patient: string, member: string): boolean {
  const pid = ports.lookup.pidOf(patient);
  if (pid === undefined) return false;
  const readings = ports.trusted.toOthers(pid);
  if (readings === undefined) return true;
  const withdrawn = withdrawnResearch(inBlockOrder(ports.shelf.versions(pid)));
  const relationships = new Relationships(ports);
  const decided = (role: string, consents: readonly ConsentInForce[]): Decision => {
    const asked: AccessRequest = {
      custodian: ports.member,
      member,
      user: '',
      role,
      purpose: PURPOSE,
      action: 'access',
    };
    return decide(relationships.standing(asked, patient, consents), CONTENT, consents, ports.now());
  };
  return READERS.some((role) =>
    readings.some((consents) => {
      const { outcome, consent } = decided(role, [...consents, TRIALS_OWN]);
      if (consent?.id !== TRIALS_OWN.id) return outcome === 'deny';
      return withdrawn.some((each) => decided(role, [each]).outcome === 'permit');
    }),
  );
}

/** Of every consent to research that was withdrawn, what it said while it was active. */
function withdrawnResearch(versions: readonly StoredConsent[]): readonly ConsentInForce[] {
  const newest = new Map(versions.map((record) => [record.consentId, record]));
  const gone = [...newest.values()].filter(({ status }) => WITHDRAWN.includes(status));
  return gone.flatMap(({ consentId }) => {
    const last = versions.findLast((each) => each.consentId === consentId && each.status === 'active');
    if (last === undefined) return [];
    const said = asInForce(last);
    const isResearch = said.care.scope?.coding?.some(({ code }) => code === 'research') ?? false;
    return isResearch ? [said] : [];
  });
}
