/**
 * Content of data points: a QuestionnaireResponse (https://hl7.org/fhir/R4/questionnaireresponse.html) at the site, and its
 * copy at the sponsor. The ledger has its commitment, which is also how a copy is found: SHA-256 over the RFC 8785 form of
 * the resource, in which lies a nonce of 256 random bits.
 */
import { createHash, randomBytes } from 'node:crypto';

import type { JsonObject } from '../fhir/json.js';
import { canonicalForm } from '../identity/statements.js';
import type { Change } from '../projection/projector.js';
import { PARTICIPANT_SYSTEM } from './systems.js';

/** What a kept content is called in the member's own collection. */
export const CONTENT_TYPE = 'TrialContent';
const CONTENT_SPACE = 'trial-content';
/** Extension that keeps a commitment from being guessed. */
const NONCE = 'urn:salus:nonce';

/** Which data point a content is of, and by which of its acts. */
export interface Place {
  readonly trial: string;
  readonly participant: string;
  readonly visit: string;
  readonly form: string;
  readonly n: number;
}

/** One name for an act on a data point. */
export function placeName({ trial, participant, visit, form, n }: Place): string {
  return [trial, participant, visit, form, n].join('/');
}

/** What a resource gets where it is written, and is not committed to. */
const GIVEN_LATER = ['id', 'meta'];

/** The resource as it is committed to: it says whose it is, and nothing that names a person. */
export function contentOf(place: Place, { extension, ...answered }: JsonObject): JsonObject {
  const given = Object.entries(answered).filter(([name]) => !GIVEN_LATER.includes(name));
  const nonce = { url: NONCE, valueString: randomBytes(32).toString('hex') };
  return {
    ...Object.fromEntries(given),
    extension: [...(Array.isArray(extension) ? (extension as readonly unknown[]) : []), nonce],
    identifier: { system: 'urn:salus:data-point', value: placeName(place) },
    subject: { identifier: { system: PARTICIPANT_SYSTEM, value: place.participant } },
  };
}

/** The commitment of a resource, lower-case hex. */
export function commitmentOf(resource: JsonObject): string {
  return createHash('sha256').update(canonicalForm(resource)).digest('hex');
}

/** The projection's change for a kept content; undefined for all else. */
export function contentChanges(type: string, text: string | undefined): readonly Change[] | undefined {
  if (type !== CONTENT_TYPE || text === undefined) return undefined;
  const resource = JSON.parse(text) as JsonObject;
  return [{ kind: 'fact', space: CONTENT_SPACE, key: commitmentOf(resource), value: text }];
}

/** Where the projection keeps facts. */
export interface ContentFacts {
  fact(space: string, key: string): string | undefined;
}

/** The content that this member holds under a commitment. */
export function heldContent(facts: ContentFacts, commitment: string): JsonObject | undefined {
  const text = facts.fact(CONTENT_SPACE, commitment);
  return text === undefined ? undefined : (JSON.parse(text) as JsonObject);
}
