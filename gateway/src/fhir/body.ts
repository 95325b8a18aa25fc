/** Bodies of requests: media type, JSON, the resource in it (R4 http.html#mime-type). */
import { Refusal } from '../ledger/refusal.js';
import { parseBody, plainOf, type JsonObject } from './json.js';
import type { FhirRequest } from './request.js';

const JSON_TYPES = new Set(['application/fhir+json', 'application/json', 'text/json']);

/** A resource sent, read twice: to be stored digit by digit, and to be looked at. */
export interface Body {
  /** With decimals as sent. */
  readonly exact: JsonObject;
  /** With plain numbers. */
  readonly plain: JsonObject;
}

/** The resource in the body. Throws Refusal 415, 400. */
export function resourceBody(request: FhirRequest): Body {
  requireMediaType(request, JSON_TYPES, 'send FHIR as application/fhir+json');
  if (request.body === undefined || request.body === '') {
    throw new Refusal('invalid', 'structure', 'the request has no body');
  }
  const { exact, plain } = parseBody(request.body);
  return { exact: asResource(exact), plain: asResource(plain) };
}

/**
 * Throws a Refusal (415 in the outcome table) unless the body's media type is one of these; `advice` says which to
 * send.
 */
export function requireMediaType(request: FhirRequest, types: ReadonlySet<string>, advice: string): void {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (!types.has(type))
    throw new Refusal('invalid', 'media-type', `${type === '' ? 'no media type' : type}: ${advice}`);
  if (!isOfR4(request.headers['content-type'] ?? ''))
    throw new Refusal('invalid', 'media-type', 'this is FHIR R4: fhirVersion is 4.0');
}

/** Whether a media type names no version of FHIR, or R4 (R4 http.html#version-parameter). */
export function isOfR4(mediaType: string): boolean {
  const version = /;\s*fhirVersion\s*=\s*"?([^";,\s]*)/i.exec(mediaType)?.[1];
  return version === undefined || /^4\.0(\.1)?$/.test(version);
}

/** Throws Refusal when the value is no JSON object with a resourceType. */
export function asResource(value: unknown): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Refusal('invalid', 'structure', 'a resource is a JSON object');
  }
  if (typeof (value as JsonObject).resourceType !== 'string') {
    throw new Refusal('invalid', 'structure', 'resourceType is missing');
  }
  return value as JsonObject;
}

/** The body of a resource that is part of another, such as a Bundle's entry. */
export function partBody(exact: JsonObject): Body {
  return { exact, plain: plainOf(exact) as JsonObject };
}

/** Throws Refusal when the body is not of the type the URL names. */
export function requireType(resource: JsonObject, type: string): void {
  if (resource.resourceType !== type) {
    throw new Refusal(
      'invalid',
      'structure',
      `the URL says ${type}, the body's resourceType is another: send them alike`,
    );
  }
}

const FORM = new Set(['application/x-www-form-urlencoded']);

/** A search whose parameters are in the body, as one whose are in its URL (R4 http.html#search). Throws Refusal 415. */
export function formRequest(request: FhirRequest): FhirRequest {
  const query = new URLSearchParams(request.query);
  if (request.body !== undefined && request.body !== '') {
    requireMediaType(request, FORM, 'send _search as application/x-www-form-urlencoded');
    for (const [name, value] of new URLSearchParams(request.body)) query.append(name, value);
  }
  return { ...request, query };
}
