/** Faults of gateways: killed at each state of an outbox, a full disk, torn files. */
import { closeSync, existsSync, openSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Fault, type FaultWorld, goOn, halt, HALT_MS, killed, ORDERERS, SHORT_MS } from './acts.js';
import { type OutboxState, OutboxView } from '../outbox-view.js';

const WATCHED = ['gateway0.stmary', 'gateway1.stmary'];
const SEEN_MS = 20_000;
/** A call is in each state for several times as long. */
const LOOK_MS = 1;
const FULL_MS = 5_000;
const CHUNK = Buffer.alloc(1024 * 1024);
/** What a torn write leaves behind the last commit, bytes at most. */
const TORN_BYTES = 4_000;

/** Halts whichever of a member's gateways first has a new call in that state, and returns its name. */
async function haltAt({ consortium }: FaultWorld, state: OutboxState): Promise<string | undefined> {
  const views = WATCHED.map((name) => ({ name, view: new OutboxView(outboxOf(consortium.dataOf('stmary'), name)) }));
  try {
    const known = new Map(views.map(({ name, view }) => [name, view.newest()]));
    const end = Date.now() + SEEN_MS;
    while (Date.now() < end) {
      await sleep(LOOK_MS);
      for (const { name, view } of views) {
        const after = known.get(name) ?? 0;
        if (!view.has(state, after)) continue;
        halt(consortium, [name]);
        // It may have gone on in the meantime: then it is let go, and the next call is watched.
        if (view.has(state, after)) return name;
        known.set(name, view.newest());
        goOn(consortium, [name]);
      }
    }
    return undefined;
  } finally {
    for (const { view } of views) view.close();
  }
}

function outboxOf(folder: string, gateway: string): string {
  return join(folder, `outbox-${gateway.split('.')[0] ?? ''}.db`);
}

/** Kills a gateway while a call is in that state; its clients ask the member's other gateway under the same key. */
export function gatewayKilledAt(state: OutboxState): Fault {
  return async (world) => {
    const name = await haltAt(world, state);
    if (name === undefined) return false;
    return killed(world, [name]);
  };
}

/** As above, while no orderer answers: the envelope is sent or about to be, and in no block. */
export const gatewayKilledBeforeOrder: Fault = async (world) => {
  halt(world.consortium, ORDERERS);
  const name = await haltAt(world, 'endorsed').finally(() => {
    goOn(world.consortium, ORDERERS);
  });
  return name === undefined ? false : killed(world, [name]);
};

/** A call is refused because the member's peer is gone; then its gateway dies, too. */
export const gatewayKilledAtRefused: Fault = async (world) => {
  const { consortium } = world;
  await consortium.kill('peer0.stmary');
  const name = await haltAt(world, 'refused');
  if (name !== undefined) await consortium.kill(name);
  await Promise.all(['peer0.stmary', ...(name === undefined ? [] : [name])].map((each) => consortium.start(each)));
  return name !== undefined;
};

/** The only peer that endorses dies when the outbox has the endorsement and before the gateway goes on. */
export const endorserKilledBeforeSubmit: Fault = async (world) => {
  const { consortium, random } = world;
  const name = await haltAt(world, 'endorsed');
  if (name === undefined) return false;
  await consortium.kill('peer0.stmary');
  goOn(consortium, [name]);
  await sleep(random() * SHORT_MS);
  await consortium.start('peer0.stmary');
  return true;
};

/** The disk of a hospital's gateways is full for a while, then has room again; a gateway that gave up is started. */
export const diskFull: Fault = async ({ consortium, writers, random }) => {
  const member = random() < 0.5 ? 'stmary' : 'northside';
  const began = Date.now();
  const filler = join(consortium.dataOf(member), 'filler');
  fill(filler);
  await sleep(FULL_MS + random() * SHORT_MS);
  const told = writers.filter((writer) => writer.member === member).flatMap(({ writes }) => writes);
  const refused = told.some(
    (write) => (write.ended ?? Date.now()) > began && write.statuses.some((status) => status !== 201),
  );
  rmSync(filler);
  await Promise.all(consortium.ended().map((name) => consortium.start(name)));
  return refused;
};

function fill(file: string): void {
  const handle = openSync(file, 'w');
  for (let size = CHUNK.length; size > 0;) {
    try {
      if (writeSync(handle, CHUNK, 0, size) < size) size = Math.floor(size / 2);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      size = Math.floor(size / 2);
    }
  }
  closeSync(handle);
}

/** Index and checkpoint of a gateway are gone. */
export const checkpointLost: Fault = async ({ consortium }) => {
  await consortium.kill('gateway0.northside');
  const index = join(consortium.dataOf('northside'), 'projection-gateway0.db');
  for (const end of ['', '-wal', '-shm']) rmSync(`${index}${end}`, { force: true });
  await consortium.start('gateway0.northside');
  return true;
};

/** The log of the index ends anywhere. */
export const indexTorn: Fault = async ({ consortium, random }) => {
  await consortium.kill('gateway0.northside');
  const log = join(consortium.dataOf('northside'), 'projection-gateway0.db-wal');
  const size = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
  if (size > 0) truncateSync(log, Math.floor(size * random()));
  await consortium.start('gateway0.northside');
  return size > 0;
};

/** The outbox has lost the end of its log, as when a write was torn; what it had sent is on the ledger all the same. */
export const outboxTorn: Fault = async (world) => {
  const { consortium, random } = world;
  const name = (await haltAt(world, 'endorsed')) ?? 'gateway0.stmary';
  await consortium.kill(name);
  const log = `${outboxOf(consortium.dataOf('stmary'), name)}-wal`;
  const size = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
  if (size > TORN_BYTES) truncateSync(log, size - Math.ceil(random() * TORN_BYTES));
  await consortium.start(name);
  return size > TORN_BYTES;
};

/** Behind the last commit of every database of a gateway lies half of a write that was never finished. */
export const halfWritten: Fault = async ({ consortium, random }) => {
  await consortium.kill('gateway0.stmary');
  const folder = consortium.dataOf('stmary');
  const logs = ['outbox-gateway0', 'readlog-gateway0', 'projection-gateway0'].map((name) =>
    join(folder, `${name}.db-wal`),
  );
  const torn = logs.filter((log) => existsSync(log));
  for (const log of torn) {
    const handle = openSync(log, 'r+');
    const end = statSync(log).size;
    writeSync(handle, randomBytes(Math.ceil(random() * TORN_BYTES)), 0, undefined, end);
    closeSync(handle);
  }
  await consortium.start('gateway0.stmary');
  return torn.length === logs.length;
};

/** Halted long enough for its clients to ask elsewhere, which is where their keys take effect. */
export const gatewayHalted: Fault = async ({ consortium }) => {
  halt(consortium, ['gateway0.stmary']);
  await sleep(HALT_MS);
  goOn(consortium, ['gateway0.stmary']);
  return true;
};
