import { createServer } from 'node:net';

/** Ports that one consortium takes, from the start of its range on. */
const rangeSize = 1000;
/** Where ranges begin, and how many there are: below the ports that the system hands out. */
const ranges = { ledgers: { from: 12_000, count: 8 }, consortia: { from: 20_000, count: 11 } } as const;

/** The start of a range that looks free, for a ledger alone or for a consortium with its gateways. */
export async function freePortBase(of: keyof typeof ranges = 'consortia'): Promise<number> {
  const { from, count } = ranges[of];
  for (let tries = 0; tries < 50; tries += 1) {
    const base = from + Math.floor(Math.random() * count) * rangeSize;
    // A gateway's port, a peer's, and the chaincode's: a process that an ended run left behind may hold one.
    const probes = await Promise.all([base + 1, base + 201, base + 480].map(isFree));
    if (!probes.includes(false)) return base;
  }
  throw new Error('no free range of ports found');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, '127.0.0.1', () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
