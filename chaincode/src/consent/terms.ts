/** The words of a decision. FHIR R4 Consent (http://hl7.org/fhir/R4/consent.html) as far as it is decided on. */

/** What a rule does to what it matches (R4 Consent.provision.type). */
export type Effect = 'permit' | 'deny';

/** http://terminology.hl7.org/CodeSystem/consentaction */
export type Action = 'collect' | 'access' | 'use' | 'disclose' | 'correct';

/** R4 Identifier, as far as it is compared. */
export interface Identifier {
  readonly system?: string;
  readonly value?: string;
}

/** R4 Coding without display: system and code are compared. */
export interface Coding {
  readonly system?: string;
  readonly code?: string;
}

/** R4 CodeableConcept without text. */
export interface CodeableConcept {
  readonly coding?: readonly Coding[];
}

/** R4 Reference: literal, or by identifier. */
export interface Reference {
  readonly reference?: string;
  readonly identifier?: Identifier;
}

/** R4 Period; both ends are inclusive FHIR dates or instants, an absent end is open. */
export interface Period {
  readonly start?: string;
  readonly end?: string;
}

/** Whom a provision is about: member, person or role (R4 Consent.provision.actor). */
export interface ProvisionActor {
  readonly role?: CodeableConcept;
  readonly reference?: Reference;
}

/** Which resources a provision is about, by reference (R4 Consent.provision.data). */
export interface ProvisionData {
  readonly meaning?: string;
  readonly reference?: Reference;
}

/** Consent.provision, nested to any depth. */
export interface Provision {
  readonly type?: string;
  readonly period?: Period;
  readonly actor?: readonly ProvisionActor[];
  readonly action?: readonly CodeableConcept[];
  readonly securityLabel?: readonly Coding[];
  readonly purpose?: readonly Coding[];
  readonly class?: readonly Coding[];
  readonly code?: readonly CodeableConcept[];
  readonly dataPeriod?: Period;
  readonly data?: readonly ProvisionData[];
  readonly provision?: readonly Provision[];
}

/** A Consent in its care form, as far as it is decided on. */
export interface CareConsent {
  readonly resourceType: 'Consent';
  readonly id?: string;
  readonly status?: string;
  readonly scope?: CodeableConcept;
  readonly identifier?: readonly Identifier[];
  readonly extension?: readonly { readonly url?: string; readonly valueReference?: Reference }[];
  readonly policy?: readonly { readonly authority?: string; readonly uri?: string }[];
  readonly policyRule?: CodeableConcept;
  readonly provision?: Provision;
}

/** A consent in force: the newest committed version. */
export interface ConsentInForce {
  readonly id: string;
  readonly version: number;
  readonly care: CareConsent;
}

/** Who asks for what, and why. Vouched for by the member's gateway. */
export interface AccessRequest {
  /** Member that holds the data. */
  readonly custodian: string;
  /** Member that asks. */
  readonly member: string;
  /** Stable random id of the person within the asking member. */
  readonly user: string;
  readonly role: string;
  /** HL7 v3 PurposeOfUse. */
  readonly purpose: string;
  readonly action: Action;
  /**
   * Literal references the actor answers to: Practitioner, PractitionerRole, CareTeam, Organization of the custodian. Absent, with
   * `identifiers`, where the custodian's record was not looked at.
   */
  readonly references?: readonly string[];
  /** Further identifiers of the actor, as the custodian's record has them; any of them may match. */
  readonly identifiers?: readonly Identifier[];
  /** The actor is this patient, or a guardian whom the custodian registered. */
  readonly isPatient?: boolean;
  /**
   * RelatedPerson of the custodian as whom the actor comes for the patient. With `isPatient` a guardian, who sees all but
   * what a rule denies to that person by name; without, a delegate, to whom no permit counts but one that names that person.
   */
  readonly representative?: string;
  /** The patient is flagged: a care relationship is needed. */
  readonly flagged?: boolean;
  /** The actor has a care relationship by Encounter or CareTeam. */
  readonly careRelationship?: boolean;
}

/** A span of time, milliseconds since 1970, both ends included. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What of a resource is decided on. Made by `factsOf`. */
export interface ResourceFacts {
  readonly type: string;
  /** `Type/id`, absent for a resource without id. */
  readonly self?: string;
  readonly codes: readonly Coding[];
  /** Clinical time; absent = undated. */
  readonly when?: Span;
  /** Every literal reference in it. */
  readonly references: readonly string[];
  /** References to who wrote, performed, recorded, asserted or ordered it. */
  readonly authors: readonly string[];
  /** Resources that refer to it, where the asker of the decision knows them. */
  readonly referencedBy: readonly string[];
  /** High-water mark of confidentiality: U L M N R V; unlabelled counts as R. */
  readonly confidentiality: string;
  readonly sensitivities: readonly string[];
}

/** What must be done to an answer before it is handed over. */
export type Obligation =
  /** Leave out whatever carries one of these labels. */
  | { readonly kind: 'remove'; readonly labels: readonly string[] }
  /** Leave out these elements, of the resource and of what it contains, and what it contains of these types. */
  | { readonly kind: 'redact'; readonly elements: readonly string[]; readonly types: readonly string[] }
  /** Label what is handed over and print the notice with it. */
  | { readonly kind: 'no-redisclosure'; readonly label: 'NORDSCLCD'; readonly notice: string };

/** What was decided, and by which rule. */
export interface Decision {
  readonly outcome: Effect;
  readonly obligations: readonly Obligation[];
  /** Consent that decided; absent where the implicit policy did. */
  readonly consent?: { readonly id: string; readonly version: number };
  /** Path of the rule: `provision.provision[1]`, `policyRule`, `policy[0]`, `implicit/...`. */
  readonly rule: string;
}
