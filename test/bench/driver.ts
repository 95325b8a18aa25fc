/** A client in a process of its own, as lean as there is: it asks for one URL, so many at once, and sends how long each took. */
import { Pool } from 'undici';

import { runAll } from './meter.js';

/** What is asked, and how often: a tenth as many come first, to warm up. */
export interface Errand {
  readonly url: string;
  readonly token?: string;
  readonly concurrency: number;
  readonly count: number;
}

/** What came of it. */
export interface Driven {
  /** Milliseconds of each answer. */
  readonly latencies: readonly number[];
  /** From the first question to the last answer. */
  readonly seconds: number;
}

async function drive({ url, token, concurrency, count }: Errand, started: () => Promise<unknown>): Promise<Driven> {
  const { origin, pathname, search } = new URL(url);
  const pool = new Pool(origin, { connections: concurrency });
  const headers = { accept: 'application/fhir+json', ...(token && { authorization: `Bearer ${token}` }) };
  const run = async (): Promise<void> => {
    const { statusCode, body } = await pool.request({ method: 'GET', path: pathname + search, headers });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`${statusCode} ${text}`);
  };
  const wish = { name: url, concurrency, count, run };
  await runAll(wish, Math.ceil(count / 10), 0, () => undefined);
  await started();
  const latencies: number[] = [];
  const began = performance.now();
  await runAll(wish, count, 0, (milliseconds) => latencies.push(milliseconds));
  const seconds = (performance.now() - began) / 1000;
  await pool.close();
  return { latencies, seconds };
}

process.once('message', (errand: Errand) => {
  void drive(errand, async () => {
    process.send?.('warm');
    await new Promise((resolve) => process.once('message', resolve));
  }).then((driven) => process.send?.(driven));
});
