/** A question to consent's `decide` about a version that is kept here, with what the record says of who asks. */
import {
  decide,
  factsOf,
  type AccessRequest,
  type ConsentInForce,
  type Decision as Ruling,
} from '@salus/chaincode/consent/decide';

import type { JsonObject } from '../fhir/json.js';
import type { PatientLookup } from '../patient/lookup.js';
import type { Actor, StoredVersion } from '../ports.js';
import { outlineOf } from '../projection/stored.js';
import { actsAsPatient } from './mandates.js';
import { referrersOf } from './related.js';
import { Relationships, type RecordIndex } from './relationships.js';
import type { TrustedConsents } from './trusted.js';

/** What this member knows of its patients and their consents. */
export interface AskingPorts {
  readonly member: string;
  readonly lookup: PatientLookup;
  readonly trusted: Pick<TrustedConsents, 'within'>;
  readonly index: RecordIndex;
  /** FHIR instant. */
  readonly now: () => string;
}

/** Asks for one gateway. */
export class Asking {
  readonly #relationships: Relationships;

  constructor(private readonly ports: AskingPorts) {
    this.#relationships = new Relationships(ports);
  }

  /** Whether any patient here is flagged. */
  get flagsAnybody(): boolean {
    return this.#relationships.flagsAnybody;
  }

  /** What these consents of a patient (FHIR id) decide of the version; without text of its type. */
  decided(
    actor: Actor,
    stored: Pick<StoredVersion, 'type' | 'text' | 'outline'> & { readonly id?: string },
    patient: string | undefined,
    consents: readonly ConsentInForce[],
  ): Ruling {
    const request = this.request(actor, patient, consents);
    // Without a consent the type alone decides.
    const isRead = consents.length > 0 && outlineOf(stored) !== '';
    const resource = isRead ? (JSON.parse(outlineOf(stored)) as JsonObject) : {};
    const referrers = referrersOf(`${stored.type}/${stored.id ?? ''}`, consents, this.ports.index);
    return decide(request, factsOf({ ...resource, resourceType: stored.type }, referrers), consents, this.ports.now());
  }

  /** The request as consents and the implicit policy ask for it. */
  request(actor: Actor, patient: string | undefined, consents: readonly ConsentInForce[]): AccessRequest {
    const request: AccessRequest = {
      custodian: this.ports.member,
      member: actor.member,
      user: actor.user,
      role: actor.role,
      purpose: actor.purpose,
      action: 'access',
      isPatient: actor.patient === patient && actsAsPatient(actor),
      ...representativeOf(actor),
    };
    return this.#relationships.standing(request, patient, consents);
  }

  /** The readings of a patient by FHIR id: lists of consents, each of which must permit. */
  readingsOf(patient: string | undefined): readonly (readonly ConsentInForce[])[] {
    const pid = patient === undefined ? undefined : this.ports.lookup.pidOf(patient);
    return pid === undefined ? [[]] : this.ports.trusted.within(pid);
  }
}

/** Whoever comes as guardian or delegate, and is none in force, is nobody whom any consent names. */
function representativeOf({ role, mandate }: Actor): Pick<AccessRequest, 'representative'> {
  return role === 'guardian' ? { representative: `RelatedPerson/${mandate?.person ?? ''}` } : {};
}
