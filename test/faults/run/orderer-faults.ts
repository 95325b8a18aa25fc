/** Faults of the orderers that must come at the right moment. */
import { type Fault, type FaultWorld, follower, followers, goOn, halt, killed } from './acts.js';
import { until } from '../until.js';
import { ordererFigures } from './metrics.js';

const QUORUM_LOST_MS = 30_000;
/** Shorter than a leader goes on without hearing from a follower. */
const TAKEN_MS = 1_500;
/** What was on its way between consenters when they were halted has arrived, or never will. */
const STILL_MS = 150;
const ATTEMPTS = 5;
const SNAPSHOT_MS = 60_000;
const TAKEN = /taking snapshot at block/g;
const USED = /Catching up with snapshot taken at block/g;
/** Accepted, not yet in force: what became of it the client learns later. */
const UNDER_WAY = 202;

/**
 * The leader dies when it has answered SUCCESS and no block can hold what it took: its followers stand still. Fabric's
 * figures say that it answered. Whoever wrote before waits meanwhile, so that others write; each peer asks the three orderers in
 * an order of its own, and may ask one that stands still first.
 */
export const killedAfterSuccess: Fault = async (world) => {
  const written: Promise<unknown>[] = [];
  let came = false;
  for (let attempt = 0; attempt < ATTEMPTS && !came; attempt += 1) came = await killedHavingTaken(world, written);
  await Promise.all(written);
  return came;
};

async function killedHavingTaken({ consortium, writers }: FaultWorld, written: Promise<unknown>[]): Promise<boolean> {
  const leader = consortium.leader();
  const others = followers(consortium);
  // A consent and its withdrawal follow one another: theirs is the one writer that writes nothing in between.
  const more = writers.filter(({ name }) => !name.startsWith('consents'));
  const figure = ordererFigures(consortium, leader);
  const answered = (): Promise<number> => figure('broadcast_processed_count', 'status="SUCCESS"');
  halt(consortium, others);
  try {
    await until(() => false, STILL_MS);
    const before = await answered();
    written.push(...more.map((writer) => writer.writeOnce()));
    if (!(await until(async () => (await answered()) > before, TAKEN_MS, 2))) return false;
    await consortium.kill(leader);
  } finally {
    goOn(consortium, others);
  }
  await consortium.start(leader);
  return true;
}

/** A follower is away until the others have thrown away what it lacks; its log says that it took a snapshot. */
export const caughtUpBySnapshot: Fault = async (world) => {
  const { consortium } = world;
  const leader = consortium.leader();
  const away = follower(world);
  const count = (name: string, line: RegExp): number => [...consortium.log(name).matchAll(line)].length;
  const [taken, used] = [count(leader, TAKEN), count(away, USED)];
  await consortium.kill(away);
  await until(() => count(leader, TAKEN) > taken + 1, SNAPSHOT_MS);
  await consortium.start(away);
  return until(() => count(away, USED) > used, SNAPSHOT_MS);
};

/** Two of three orderers are gone: writes are taken by the outbox and answered 202, and reads go on. */
export const quorumLost: Fault = async (world) => {
  const { consortium, writers } = world;
  const lost = killed(world, [consortium.leader(), follower(world)], QUORUM_LOST_MS);
  const [writer] = writers;
  const began = Date.now();
  const write = await writer!.writeOnce();
  await lost;
  const told = write.statuses.includes(UNDER_WAY);
  return told && world.reader.shown.some(({ remote, at }) => !remote && at > began && at < began + QUORUM_LOST_MS);
};
