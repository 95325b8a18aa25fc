/** Binary as what it is: content sent and asked for by its own media type (R4 binary.html#rest). */
import { utf8Of } from './received.js';
import type { FhirRequest, FhirResponse } from './request.js';

const READ = /^Binary\/[A-Za-z0-9.-]{1,64}(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/;
const WRITTEN = /^Binary(?:\/([A-Za-z0-9.-]{1,64}))?$/;
const JSON_TYPE = /^\s*(?:application\/(?:fhir\+)?json|text\/json)\s*(?:;|$)/i;
const XML_TYPE = /^\s*(?:application\/(?:fhir\+)?xml|text\/xml)\s*(?:;|$)/i;
/** Bytes in which the root of XML is looked for. */
const XML_HEAD = 4_096;
/** A Binary in XML (R4 xml.html), behind what may stand before the root. */
const XML_BINARY =
  /^\uFEFF?(?:\s|<\?[^>]*>|<!--(?:(?!-->)[^])*-->)*<(?:[A-Za-z_][\w.-]*:)?Binary\s[^>]*http:\/\/hl7\.org\/fhir/;
/** What asks for parts of a resource: there is no part of content. */
const PARTS = ['_format', '_summary', '_elements'];
/** Media ranges by which a client says that it wants the resource. */
const FHIR_RANGE = /^\s*(?:application\/(?:fhir\+)?(?:json|xml)|text\/(?:json|xml))\s*(?:;|$)/i;

type Asked = Omit<FhirRequest, 'actor' | 'body'>;

/**
 * Whether the content is asked for: a read of a Binary that names no type of FHIR's in Accept or `_format`, and asks for
 * no part of the resource.
 */
export function asksForContent({ method, path, query, headers }: Asked): boolean {
  if ((method !== 'GET' && method !== 'HEAD') || !READ.test(path)) return false;
  if (PARTS.some((name) => query.has(name))) return false;
  return !(headers.accept ?? '').split(',').some((range) => FHIR_RANGE.test(range));
}

/** Whether the body may be content: a create or update of a Binary, whatever its media type. */
export function mayBeContent({ method, path, headers }: Asked): boolean {
  const isWrite = (method === 'POST' && path === 'Binary') || (method === 'PUT' && path.startsWith('Binary/'));
  return isWrite && WRITTEN.test(path) && (headers['content-type'] ?? '') !== '';
}

/** The request with a header that names FHIR's JSON, for the router. */
export function asFhir<T extends Asked>(asked: T, name: 'accept' | 'content-type'): T {
  return { ...asked, headers: { ...asked.headers, [name]: 'application/fhir+json' } };
}

/**
 * The request with the JSON text of the Binary that the bytes are the content of; as it came where they are a Binary
 * themselves, or are to be JSON and are none, for the router to read or to refuse. Throws Refusal as `utf8Of`.
 */
export function withBinary<T extends Asked>(asked: T, bytes: Buffer): T & { readonly body: string } {
  const { path, headers } = asked;
  const contentType = headers['content-type'] ?? '';
  if (!isContent(contentType, bytes)) return { ...asked, body: utf8Of(contentType, bytes) };
  const [, id] = WRITTEN.exec(path) ?? [];
  const reference = headers['x-security-context'];
  const body = JSON.stringify({
    resourceType: 'Binary',
    ...(id === undefined ? {} : { id }),
    contentType,
    ...(reference === undefined ? {} : { securityContext: { reference } }),
    ...(bytes.length === 0 ? {} : { data: bytes.toString('base64') }),
  });
  return { ...asFhir(asked, 'content-type'), body };
}

/** JSON and XML are content, too: R4 takes as a resource nothing but a Binary here. */
function isContent(contentType: string, bytes: Buffer): boolean {
  if (XML_TYPE.test(contentType)) return !XML_BINARY.test(bytes.subarray(0, XML_HEAD).toString());
  if (!JSON_TYPE.test(contentType)) return true;
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
  readonly meta?: { readonly security?: readonly { readonly code?: string }[] };
  readonly securityContext?: { readonly reference?: string };
}

/** What may stand in a header. */
const HEADER = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/** The content of the Binary in an answer; other answers, and a Binary whose content is not to be seen, as they are. */
export function contentOf(response: FhirResponse): FhirResponse {
  const { status, headers, resource } = response;
  if (status !== 200 || resource === undefined) return response;
  const binary = (typeof resource === 'string' ? JSON.parse(resource) : resource) as Binary;
  if (binary.resourceType !== 'Binary' || isWithheld(binary)) return response;
  return {
    status,
    headers: { ...headers, ...contentHeaders(binary) },
    bytes: Buffer.from(binary.data ?? '', 'base64'),
  };
}

/** Whether the data was left out, not absent: it would look like a file without bytes. */
function isWithheld({ data, meta }: Binary): boolean {
  return data === undefined && (meta?.security ?? []).some(({ code }) => code === 'REDACTED');
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
