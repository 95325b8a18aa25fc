/** Measures requests by a client that is not the bottleneck: in a process of its own, without what `fetch` adds. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import type { Driven, Errand } from './driver.js';
import { cpuWhile, type Measure, measured, type Processes } from './meter.js';

/** A GET of one URL that is to be answered 200. */
export interface LeanWish extends Errand {
  readonly name: string;
}

/** As `measure`; `client` is the other process. */
export async function measureLean({ name, ...errand }: LeanWish, processes: Processes): Promise<Measure> {
  const driver = fork(join(import.meta.dirname, 'driver.js'), { serialization: 'advanced' });
  try {
    driver.send(errand);
    await said(driver);
    const watched = { ...processes, client: [driver.pid ?? 0] };
    const { result, cpu } = await cpuWhile(watched, errand.count, async () => {
      driver.send('go');
      return (await said(driver)) as Driven;
    });
    return measured({ name, concurrency: errand.concurrency }, { ...result, units: errand.count, cpu });
  } finally {
    driver.kill();
  }
}

async function said(driver: ReturnType<typeof fork>): Promise<unknown> {
  const ended = once(driver, 'exit').then(() => {
    throw new Error('the client of the bench failed');
  });
  const [message] = (await Promise.race([once(driver, 'message'), ended])) as [unknown];
  return message;
}

/** What stands beside Salus, in a process of its own; it sends its port. */
export interface Bare {
  readonly url: string;
  stop(): void;
}

/** Starts one of them: the least that Express does, or Node's own HTTP server. */
export async function startBare(what: 'express' | 'node'): Promise<Bare> {
  const server = fork(join(import.meta.dirname, `bare-${what}.js`));
  const [port] = (await once(server, 'message')) as [number];
  return { url: `http://127.0.0.1:${port}/fhir/R4/Observation/x`, stop: () => server.kill() };
}
