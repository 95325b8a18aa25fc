/** Deliveries to webhooks (EPCIS 2.0 section 12.6): signed, and under one name however often they are sent. */
import { createHash, createHmac } from 'node:crypto';

import type { Destinations } from '../../delivery/destinations.js';
import { post } from '../../delivery/post.js';
import type { Begun } from './subscriptions.js';

/** How long a subscriber is waited for, milliseconds. */
const ANSWER_MS = 10_000;

/** Sends a delivery: whether it was taken. */
export async function tellWebhook(
  destinations: Destinations,
  { subscriptionID, dest, signatureToken, told, sending }: Begun & { readonly dest: string },
  text: string,
): Promise<boolean> {
  const name = createHash('sha256').update(`${subscriptionID}\n${told}\n${sending}`).digest('hex');
  const signed =
    signatureToken === undefined
      ? {}
      : { 'GS1-Signature': createHmac('sha256', signatureToken).update(text).digest('base64') };
  const headers = {
    'Content-Type': 'application/json',
    'GS1-EPCIS-Version': '2.0.0',
    'Idempotency-Key': name,
    ...signed,
  };
  return await post(destinations, dest, { headers, text, timeoutMs: ANSWER_MS });
}
