/** How a gateway stops taking requests: what is under way is answered, a while long. */
import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long requests under way may take, milliseconds; a process that stops is ended some time after. */
const DRAIN_MS = 5_000;
/** Pause between looks at connections that have become idle, milliseconds. */
const LOOK_MS = 20;

/** Takes no more connections; resolves when all requests under way are answered, or their time is up. */
export async function drained(servers: readonly Server[]): Promise<void> {
  const over = new AbortController();
  const closed = Promise.all(servers.map(closing)).then(() => {
    over.abort();
  });
  const until = Date.now() + DRAIN_MS;
  while (!over.signal.aborted && Date.now() < until) {
    // A connection that was kept alive ends once it has its answer.
    for (const server of servers) server.closeIdleConnections();
    await Promise.race([closed, sleep(LOOK_MS)]);
  }
}

function closing(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}
