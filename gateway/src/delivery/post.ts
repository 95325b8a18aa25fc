/** Deliveries by POST: to where they may go alone, and no further where that redirects to. */
import { request as askPlainly } from 'node:http';
import { request as ask } from 'node:https';

import type { Destinations } from './destinations.js';

/** What is sent, and how long its taker is waited for. */
export interface Posted {
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly timeoutMs: number;
  /** Ends the waiting; the delivery was not taken then. */
  readonly signal?: AbortSignal;
}

/** Sends a delivery: whether it was taken, by a status of 2xx. Never rejects. */
export function post(destinations: Destinations, address: string, posted: Posted): Promise<boolean> {
  const { headers, text, timeoutMs, signal } = posted;
  if (destinations.allowed(address) === undefined) return Promise.resolve(false);
  const late = AbortSignal.timeout(timeoutMs);
  return new Promise((resolve) => {
    const options = {
      method: 'POST',
      headers: { ...headers, 'Content-Length': Buffer.byteLength(text) },
      lookup: destinations.lookup(address),
      signal: signal === undefined ? late : AbortSignal.any([late, signal]),
    };
    const sent = (address.startsWith('https:') ? ask : askPlainly)(address, options, (response) => {
      const { statusCode = 0 } = response;
      // Whatever the taker says is not read: it may have no end.
      response.destroy();
      resolve(statusCode >= 200 && statusCode < 300);
    });
    sent.on('error', () => {
      resolve(false);
    });
    sent.end(text);
  });
}
