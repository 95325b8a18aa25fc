/** What attachments and references may be, as far as a question says: media type, size, type of resource. Pure. */

/** Bytes of one MB, in which `maxSize` counts; R4 does not say which, so that the larger of the two is allowed. */
const MEGABYTE = 1_048_576;

/** Media types are compared without their parameters (RFC 9110 section 8.3.1). */
export function typeProblem(allowed: readonly unknown[], value: unknown): string | undefined {
  if (allowed.length === 0) return undefined;
  const { contentType = '' } = value as { readonly contentType?: string };
  const type = contentType.split(';')[0]?.trim().toLowerCase();
  return allowed.some((each) => String(each).toLowerCase() === type) ? undefined : `of type ${allowed.join(' or ')}`;
}

/** An attachment's size is what its data has, or what it says of what lies elsewhere; one that says nothing is refused. */
export function sizeProblem(most: number, value: unknown): string | undefined {
  const { data, size } = value as { readonly data?: string; readonly size?: number };
  const bytes = data === undefined ? size : Buffer.byteLength(data, 'base64');
  if (bytes === undefined) return 'with its data or its size';
  return bytes > most * MEGABYTE ? `at most ${most} MB` : undefined;
}

/** A reference's type stands in it, or is the first part of what it refers to by; one that tells none is refused. */
export function targetProblem(allowed: readonly unknown[], value: unknown): string | undefined {
  if (allowed.length === 0) return undefined;
  const { type, reference = '' } = value as { readonly type?: string; readonly reference?: string };
  const named = type ?? /([A-Z][A-Za-z]+)\/[A-Za-z0-9.-]{1,64}(?:\/_history\/[^/]+)?$/.exec(reference)?.[1];
  return allowed.includes(named) ? undefined : `a reference to ${allowed.join(' or ')}`;
}
