/**
 * What an import is asked for: the kick-off of the Bulk Data Import proposal, manifest approach
 * (https://github.com/smart-on-fhir/bulk-import/blob/master/import-manifest.md), as JSON or as Parameters of the same names; or the ndjson itself.
 */
import { Refusal } from '../../ledger/refusal.js';
import { isResourceType } from '../../projection/generated.js';
import { requireMediaType } from '../body.js';
import { parseBody, type JsonObject } from '../json.js';
import { parameterOf, partsOf } from '../parameters.js';
import type { FhirRequest } from '../request.js';
import { IMPORT_LIMITS } from './limits.js';
import { requireAllowed } from './source.js';

/** One file. */
export interface ImportInput {
  /** FHIR type of its resources; absent = any. */
  readonly type?: string;
  readonly url: string;
}

/** What is to be imported. */
export interface ImportOrder {
  /** Where the data come from, kept as meta.source of what names none; absent = nobody said. */
  readonly source?: string;
  readonly input: readonly ImportInput[];
  /** The one input's text where it came with the request. */
  readonly upload?: string;
}

/** Media types of newline delimited FHIR JSON, by which `inputFormat` may name it, too. */
const NDJSON: ReadonlySet<string> = new Set(['application/fhir+ndjson', 'application/ndjson', 'ndjson']);
const TAKEN = new Set([...NDJSON, 'application/json', 'application/fhir+json']);
const ENCODINGS = new Set(['gzip', 'deflate', 'br', 'identity']);
const FIELDS = new Set(['inputFormat', 'inputSource', 'input', 'storageDetail']);

/** Reads a kick-off; `name` stands for the input that came with it. Throws Refusal. */
export function orderOf(request: FhirRequest, origins: readonly string[], name: string): ImportOrder {
  requireMediaType(request, TAKEN, 'send the kick-off as application/json, or ndjson as application/fhir+ndjson');
  const [type = ''] = (request.headers['content-type'] ?? '').split(';');
  const body = request.body ?? '';
  if (!NDJSON.has(type.trim().toLowerCase())) return ofFiles(fieldsOf(parseBody(body).plain), origins);
  if (body.trim() === '') throw new Refusal('invalid', 'structure', 'the request has no body');
  const source = request.query.get('inputSource');
  return { ...(source === null ? {} : { source: sourceOf(source) }), input: [{ url: name }], upload: body };
}

/** The fields of the proposal, whichever way they were sent. */
function fieldsOf(body: unknown): JsonObject {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new Refusal('invalid', 'structure', 'a kick-off is a JSON object');
  }
  return (body as JsonObject).resourceType === 'Parameters' ? ofParameters(body as JsonObject) : (body as JsonObject);
}

function ofParameters(body: JsonObject): JsonObject {
  const storage = partsOf(body, 'storageDetail')[0];
  const encodings = storage && listed(storage, 'contentEncoding');
  const fields = {
    inputFormat: valueOf(body, 'inputFormat'),
    inputSource: valueOf(body, 'inputSource'),
    input: partsOf(body, 'input').map((part) => ({ type: valueOf(part, 'type'), url: valueOf(part, 'url') })),
    storageDetail: storage && { type: valueOf(storage, 'type'), contentEncoding: encodings },
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

const VALUES = ['valueUrl', 'valueUri', 'valueCode', 'valueString', 'valueCanonical'];

function valueOf(parameters: JsonObject, name: string): unknown {
  const found = parameterOf(parameters, name) ?? {};
  return VALUES.map((each) => found[each]).find((each) => each !== undefined);
}

function listed(parameters: JsonObject, name: string): readonly unknown[] {
  const all = Array.isArray(parameters.parameter) ? (parameters.parameter as JsonObject[]) : [];
  return all.flatMap((each) => (each.name === name ? [valueOf({ parameter: [each] }, name)] : []));
}

function ofFiles(fields: JsonObject, origins: readonly string[]): ImportOrder {
  const unknown = Object.keys(fields).find((name) => !FIELDS.has(name));
  if (unknown !== undefined)
    throw new Refusal('invalid', 'unknown-parameter', `$import has no field ${unknown.slice(0, 80)}`);
  const { inputFormat, inputSource, input, storageDetail } = fields;
  if (typeof inputFormat !== 'string' || !NDJSON.has(inputFormat)) {
    throw new Refusal('invalid', 'bad-value', 'inputFormat is application/fhir+ndjson');
  }
  requireHttps(storageDetail);
  return { source: sourceOf(inputSource), input: inputsOf(input, origins) };
}

/** A URI as meta.source takes it (R4 datatypes.html#uri). */
function sourceOf(value: unknown): string {
  const most = IMPORT_LIMITS.sourceCharacters;
  if (typeof value === 'string' && value.length <= most && /^[A-Za-z][A-Za-z0-9+.-]*:\S+$/.test(value)) return value;
  throw new Refusal('invalid', 'bad-value', `inputSource is an absolute URI of at most ${most} characters`);
}

function requireHttps(storage: unknown): void {
  if (storage === undefined) return;
  const { type, contentEncoding = [] } = (storage ?? {}) as JsonObject;
  if (type !== 'https') throw new Refusal('invalid', 'not-supported', 'storageDetail.type is https');
  const all = Array.isArray(contentEncoding) ? (contentEncoding as unknown[]) : [contentEncoding];
  if (!all.every((each) => typeof each === 'string' && ENCODINGS.has(each))) {
    throw new Refusal(
      'invalid',
      'not-supported',
      `storageDetail.contentEncoding is any of ${[...ENCODINGS].join(', ')}`,
    );
  }
}

function inputsOf(input: unknown, origins: readonly string[]): ImportInput[] {
  if (!Array.isArray(input) || input.length === 0) {
    throw new Refusal('invalid', 'structure', 'input is a list of files, each with type and url');
  }
  if (input.length > IMPORT_LIMITS.files) {
    throw new Refusal('invalid', 'too-costly', `an import has at most ${IMPORT_LIMITS.files} files: split it`);
  }
  return input.map((each: unknown, at) => {
    const { type, url } = (each ?? {}) as JsonObject;
    if (typeof type !== 'string' || !isResourceType(type)) {
      throw new Refusal('invalid', 'bad-value', `input[${at}].type is a resource type of R4`);
    }
    return { type, url: requireAllowed(url, origins, `input[${at}].url`) };
  });
}
