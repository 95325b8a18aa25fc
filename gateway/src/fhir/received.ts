/** Bodies as they come in: none is read before there is room for it, and none that is too large, broken or no UTF-8. */
import express, { type Request, type RequestHandler, type Response } from 'express';

import { Refusal } from '../ledger/refusal.js';
import { SMALL_BODY, type Underway } from './underway.js';

/** Largest body, in bytes. */
export const BODY_LIMIT = 16 * 1024 * 1024;

/**
 * Does the work on the body's text, undefined where there is none, and holds room for it until it is done. What does
 * not say how long it will be, because it is chunked or compressed, takes the room of the largest body until it is read;
 * where there is none, it is taken as long as it stays small. `made` is made of its bytes, before the work. Throws
 * Refusal 503 before any of the work, 413, 415, 400.
 */
export async function received<T, B>(
  underway: Underway,
  [request, response]: readonly [Request, Response],
  work: (body: B | undefined) => Promise<T>,
  made: (body: Buffer) => B,
): Promise<T> {
  const length = lengthOf(request);
  const whole = underway.take(Math.min(length ?? BODY_LIMIT, BODY_LIMIT));
  const room = whole ?? (length === undefined ? underway.take(SMALL_BODY) : undefined);
  if (room === undefined) throw overloaded();
  try {
    const body = whole === undefined ? await readSmall(request, response) : await read(request, response, BODY_LIMIT);
    room.shrink(body?.length ?? 0);
    return await work(body && made(body));
  } finally {
    room.shrink(0);
  }
}

/** Bytes that the body will have; undefined where only reading it tells (RFC 9112 section 6.3). */
function lengthOf({ headers }: Request): number | undefined {
  const isPlain = (headers['content-encoding'] ?? 'identity').toLowerCase() === 'identity';
  if (headers['transfer-encoding'] !== undefined) return undefined;
  const length = Number(headers['content-length'] ?? 0);
  return isPlain || length === 0 ? length : undefined;
}

async function readSmall(request: Request, response: Response): Promise<Buffer | undefined> {
  try {
    return await read(request, response, SMALL_BODY);
  } catch (error) {
    throw error instanceof Refusal && error.code === 'too-large' ? overloaded() : error;
  }
}

function overloaded(): Refusal {
  return new Refusal('unavailable', 'overloaded', 'too much is sent at once: nothing was done, send it again later');
}

async function read(request: Request, response: Response, limit: number): Promise<Buffer | undefined> {
  const parse: RequestHandler = express.raw({ type: () => true, limit });
  await new Promise<void>((resolve, reject) => {
    void parse(request, response, (error?: unknown) => {
      if (error === undefined) resolve();
      else reject(bodyRefusal(error));
    });
  });
  const body: unknown = request.body;
  return Buffer.isBuffer(body) ? body : undefined;
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true });

/** The body's text. Throws Refusal 415 for another charset, 400 for bytes that are no UTF-8 (R4 json.html). */
export function utf8Of(contentType: string | undefined, body: Buffer): string {
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(contentType ?? '')?.[1] ?? 'utf-8';
  if (!/^utf-?8$/i.test(charset)) throw new Refusal('invalid', 'media-type', 'send the body as UTF-8, plain or gzip');
  try {
    return UTF_8.decode(body);
  } catch (error) {
    throw new Refusal('invalid', 'structure', 'the body is not UTF-8', { cause: error });
  }
}

/** Errors of the body parser carry an HTTP status. */
function bodyRefusal(error: unknown): Error {
  const status = (error as { status?: unknown } | undefined)?.status;
  if (status === 413) {
    return new Refusal('invalid', 'too-large', `a body has at most ${BODY_LIMIT} bytes: split what you send`, {
      cause: error,
    });
  }
  if (status === 415) {
    return new Refusal('invalid', 'media-type', 'send the body as UTF-8, plain or gzip', { cause: error });
  }
  if (typeof status === 'number' && status < 500) {
    return new Refusal('invalid', 'structure', 'the body cannot be read', { cause: error });
  }
  return error instanceof Error ? error : new Error('the body cannot be read', { cause: error });
}
