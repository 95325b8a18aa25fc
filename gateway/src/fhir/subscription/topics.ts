/**
 * The topics that may be subscribed to: that a resource of a type was created or updated. In R4 the CapabilityStatement
 * names them (https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/components.html#subscription-topics-in-r4).
 */
import type { JsonObject } from '../json.js';
import type { Served } from '../request.js';

/** Guide whose profiles and extensions are used: Subscriptions R5 Backport 1.1.0. */
export const GUIDE = 'http://hl7.org/fhir/uv/subscriptions-backport';
const PREFIX = 'urn:salus:subscription-topic:';

/** Types whose resources stand in patients' records, each a topic. */
const TYPES: readonly string[] = [
  ...['AllergyIntolerance', 'CarePlan', 'Condition', 'DiagnosticReport', 'DocumentReference', 'Encounter', 'Goal'],
  ...['Immunization', 'MedicationRequest', 'Observation', 'Patient', 'Procedure', 'ServiceRequest', 'Task'],
];

/** Canonical URLs of the topics. */
const TOPICS: readonly string[] = TYPES.map((type) => PREFIX + type);

/** The type that a topic is about; undefined where there is no such topic. */
export function typeOfTopic(canonical: unknown): string | undefined {
  return TYPES.find((type) => canonical === PREFIX + type);
}

/** What the CapabilityStatement says of the type Subscription beside its interactions. */
const declared: JsonObject = {
  supportedProfile: [`${GUIDE}/StructureDefinition/backport-subscription`],
  extension: TOPICS.map((valueCanonical) => ({
    url: `${GUIDE}/StructureDefinition/capabilitystatement-subscriptiontopic-canonical`,
    valueCanonical,
  })),
};

/** A Subscription is an order to one gateway, kept there for who gave it: no version of it lies on the ledger. */
export const SUBSCRIPTION_SERVED: Served = {
  interactions: ['read', 'create', 'update', 'delete', 'search-type'],
  parameters: ['criteria', 'payload', 'status', 'type', 'url'],
  instead: 'a Subscription is created, read, updated as a whole, deleted, and searched by who made it',
  declared,
};
