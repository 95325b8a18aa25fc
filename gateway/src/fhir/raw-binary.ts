/** Binary as what it is: content sent and asked for by its own media type (R4 binary.html#rest). */
import type { FhirRequest, FhirResponse } from './request.js';

const READ = /^Binary\/[A-Za-z0-9.-]{1,64}(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/;
const WRITTEN = /^Binary(?:\/([A-Za-z0-9.-]{1,64}))?$/;
const JSON_TYPE = /^\s*(?:application\/(?:fhir\+)?json|text\/json)\s*(?:;|$)/i;
/** Media ranges by which a client says that it wants the resource. */
const FHIR_RANGE = /^\s*(?:application\/(?:fhir\+)?(?:json|xml)|text\/(?:json|xml))\s*(?:;|$)/i;

type Asked = Omit<FhirRequest, 'actor' | 'body'>;

/** Whether the content is asked for: a read of a Binary that names no type of FHIR's in Accept or `_format`. */
export function asksForContent({ method, path, query, headers }: Asked): boolean {
  if ((method !== 'GET' && method !== 'HEAD') || !READ.test(path) || query.has('_format')) return false;
  return !(headers.accept ?? '').split(',').some((range) => FHIR_RANGE.test(range));
}

/** Whether the body may be content: a create or update of a Binary, whatever its media type. */
export function mayBeContent({ method, path, headers }: Asked): boolean {
  const isWrite = (method === 'POST' && path === 'Binary') || (method === 'PUT' && path.startsWith('Binary/'));
  return isWrite && WRITTEN.test(path) && (headers['content-type'] ?? '') !== '';
}

/** The request as the router reads it: of JSON. */
export function asFhir<T extends Asked>(asked: T, names: readonly ('accept' | 'content-type')[]): T {
  const json = Object.fromEntries(names.map((name) => [name, 'application/fhir+json']));
  return { ...asked, headers: { ...asked.headers, ...json } };
}

/**
 * The JSON text of the Binary that the bytes are the content of, or the text itself where it is that of a Binary, or is to be
 * JSON and is none, for the router to refuse.
 */
export function binaryText({ path, headers }: Asked, bytes: Buffer): string {
  const contentType = headers['content-type'] ?? '';
  if (JSON_TYPE.test(contentType) && !isContent(bytes)) return bytes.toString();
  const [, id] = WRITTEN.exec(path) ?? [];
  const reference = headers['x-security-context'];
  return JSON.stringify({
    resourceType: 'Binary',
    ...(id === undefined ? {} : { id }),
    contentType,
    ...(reference === undefined ? {} : { securityContext: { reference } }),
    ...(bytes.length === 0 ? {} : { data: bytes.toString('base64') }),
  });
}

/** Whether JSON is content: R4 takes as a resource nothing but a Binary here. */
function isContent(bytes: Buffer): boolean {
  try {
    const value = JSON.parse(bytes.toString()) as { resourceType?: unknown } | null;
    return value?.resourceType !== 'Binary';
  } catch {
    return false;
  }
}

interface Binary {
  readonly resourceType?: string;
  readonly contentType?: string;
  readonly data?: string;
  readonly securityContext?: { readonly reference?: string };
}

/** What may stand in a header. */
const HEADER = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/** The content of the Binary in an answer; other answers as they are. */
export function contentOf(response: FhirResponse): FhirResponse {
  const { status, headers, resource } = response;
  if (status !== 200 || resource === undefined) return response;
  const binary = (typeof resource === 'string' ? JSON.parse(resource) : resource) as Binary;
  if (binary.resourceType !== 'Binary') return response;
  return {
    status,
    headers: { ...headers, ...contentHeaders(binary) },
    bytes: Buffer.from(binary.data ?? '', 'base64'),
  };
}

function contentHeaders({ contentType = '', securityContext }: Binary): Record<string, string> {
  const reference = securityContext?.reference ?? '';
  return {
    'Content-Type': HEADER.test(contentType) ? contentType : 'application/octet-stream',
    // Whoever wrote it may have written a page: it must not run in the gateway's name.
    'Content-Security-Policy': "sandbox; default-src 'none'",
    ...(HEADER.test(reference) ? { 'X-Security-Context': reference } : {}),
  };
}
