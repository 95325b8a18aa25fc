/** Files of imports: from origins that the operator named alone, never where those redirect to, no faster than they are worked on. */
import { Refusal } from '../../ledger/refusal.js';
import type { ImportLimits } from './limits.js';

/** Whether an operator may name the origin: https, or plain HTTP on this machine while it is no production. */
export function isOrigin(text: string, isProduction: boolean): boolean {
  const url = URL.parse(text);
  if (url === null || url.origin !== text) return false;
  const isHere = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  return url.protocol === 'https:' || (url.protocol === 'http:' && isHere && !isProduction);
}

/** A file's URL at one of the origins. Throws Refusal for any other: what a client names must not be reached by that alone. */
export function requireAllowed(value: unknown, origins: readonly string[], what: string): string {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  if (url === null || url.username !== '' || url.password !== '' || !['https:', 'http:'].includes(url.protocol)) {
    throw new Refusal('invalid', 'bad-value', `${what} is an https URL without a user in it`);
  }
  if (!origins.includes(url.origin)) {
    throw new Refusal(
      'invalid',
      'unprocessable',
      `${what}: imports from ${url.origin} are not allowed by this gateway`,
    );
  }
  return url.href;
}

/** Why a file cannot be read; `isFinal`: asking again would not help. */
export class SourceFault extends Error {
  constructor(
    what: string,
    readonly isFinal: boolean,
    options?: ErrorOptions,
  ) {
    super(what, options);
  }
}

/** A file's bytes. Throws SourceFault, also where its server is so slow that it would hold the import for ever. */
export async function* bytesOf(
  url: string,
  { fileBytes, silentSeconds, slowestBytes }: Pick<ImportLimits, 'fileBytes' | 'silentSeconds' | 'slowestBytes'>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const silence = new AbortController();
  const either = AbortSignal.any([signal, silence.signal]);
  let waited = 0;
  const heard = async <T>(answer: Promise<T>): Promise<T> => {
    const since = performance.now();
    const timer = setTimeout(() => {
      silence.abort();
    }, silentSeconds * 1_000);
    try {
      return await answer;
    } catch (cause) {
      throw new SourceFault('the file cannot be read from its server', false, { cause });
    } finally {
      clearTimeout(timer);
      waited += (performance.now() - since) / 1_000;
    }
  };
  const asked = {
    redirect: 'manual',
    signal: either,
    headers: { accept: 'application/fhir+ndjson, */*;q=0.1' },
  } as const;
  const response = await heard(fetch(url, asked));
  const reader = bodyOf(response);
  try {
    for (let size = 0; ;) {
      const { done, value } = await heard(reader.read());
      if (done) return;
      size += value.byteLength;
      if (size > fileBytes) throw new SourceFault(`the file has more than ${fileBytes} bytes: split it`, true);
      if (waited > silentSeconds && size < waited * slowestBytes) {
        throw new SourceFault(`the file's server sends less than ${slowestBytes} bytes a second`, true);
      }
      yield value;
    }
  } finally {
    // Where it was read to its end there is nothing left to cancel.
    reader.cancel().catch(() => undefined);
  }
}

function bodyOf({ status, body }: Response): ReadableStreamDefaultReader<Uint8Array> {
  if (status === 200 && body !== null) return body.getReader();
  body?.cancel().catch(() => undefined);
  const isTransient = status === 429 || status >= 500;
  const why = status >= 300 && status < 400 ? `${status}: redirects are not followed` : String(status);
  throw new SourceFault(`the file's server answers ${why}`, !isTransient);
}
