/** Forms as they were sent: a field that comes twice stays twice. */
import { Readable } from 'node:stream';

import type { Request } from 'express';

/** The fields of a form that Express parsed; none where the body was no form. */
export function fieldsOf(request: Request): URLSearchParams {
  const fields = new URLSearchParams();
  const sent = (request.body ?? {}) as Readonly<Record<string, string | readonly string[]>>;
  for (const [name, value] of Object.entries(sent)) {
    for (const each of [value].flat()) fields.append(name, each);
  }
  return fields;
}

/** The same request with another form in its body. */
export function withForm(request: Request, fields: URLSearchParams): Request {
  const bytes = Buffer.from(fields.toString());
  const { method, url, originalUrl, baseUrl, socket, httpVersion } = request;
  const headers = { ...request.headers, 'content-length': String(bytes.length) };
  const kept = { method, url, originalUrl, baseUrl, socket, httpVersion, headers };
  return Object.assign(Readable.from([bytes]), kept) as unknown as Request;
}
