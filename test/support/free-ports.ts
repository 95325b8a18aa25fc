import { createServer, type Server } from 'node:net';

/** Ports of one range: a consortium takes about 900 from its start on; the last one says that the range is taken. */
const RANGE = 1000;
/** Where ranges begin, and how many there are: below the ports that the system hands out. */
const FROM = 12_000;
const COUNT = 20;

/** The start of a range that no other test gets until this process ends, however many run at once. */
export async function freePortBase(): Promise<number> {
  const first = Math.floor(Math.random() * COUNT);
  for (let tries = 0; tries < COUNT; tries += 1) {
    const base = FROM + ((first + tries) % COUNT) * RANGE;
    const claim = await listening(base + RANGE - 1);
    if (claim === undefined) continue;
    claim.unref();
    // A gateway's port, a peer's, and the chaincode's: a process that an ended run left behind may hold one.
    const probes = await Promise.all([base + 1, base + 201, base + 480].map(isFree));
    if (!probes.includes(false)) return base;
  }
  throw new Error('no range of ports is free: end the processes that earlier runs of the tests left behind');
}

async function isFree(port: number): Promise<boolean> {
  const server = await listening(port);
  if (server === undefined) return false;
  return new Promise((resolve) => {
    server.close(() => {
      resolve(true);
    });
  });
}

/** A server on the port; undefined when something else already listens there. */
function listening(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(undefined);
    });
    server.listen(port, '127.0.0.1', () => {
      resolve(server);
    });
  });
}
