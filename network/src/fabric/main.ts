/**
 * A native Fabric network as a process: `node main.js <state folder> [--fabric-bin FOLDER] [--clock-offset-ms N]`.
 * Prints one JSON line when channel and chaincode are in force, one for each process that ended and is started again,
 * and one when it gives up because a process ends again and again; stops everything on SIGTERM and SIGINT.
 */
import { parseArgs } from 'node:util';
import { followerOf, startTimeOf } from '../commands/run-file.js';
import { writePublic } from '../identity/files.js';
import { type RunningFabric, startFabric } from './network.js';
import { findPrograms } from './programs.js';
import { LOOK_SIGNAL } from './successors.js';

const USAGE = 'usage: main.js <state folder> [--fabric-bin FOLDER] [--clock-offset-ms N]';

function log(line: string): void {
  process.stderr.write(`${new Date().toISOString()} ${line}\n`);
}

/** For the log, and for whoever started this. */
function tell(said: { readonly notice: string } | { readonly failed: string }): void {
  log(Object.values(said).join(' '));
  console.log(JSON.stringify(said));
}

/** Exit codes: 1 failed, 2 wrong use. */
function end(code: 1 | 2, why: unknown): never {
  log(why instanceof Error ? why.message : String(why));
  process.exit(code);
}

function readArguments() {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { 'fabric-bin': { type: 'string' }, 'clock-offset-ms': { type: 'string' } },
  });
  const [stateDir, ...more] = positionals;
  const clockOffsetMs = Number(values['clock-offset-ms'] ?? 0);
  if (stateDir === undefined || more.length > 0 || !Number.isSafeInteger(clockOffsetMs)) throw new Error(USAGE);
  return { stateDir, clockOffsetMs, folder: values['fabric-bin'] };
}

const wanted = (() => {
  try {
    return readArguments();
  } catch (error) {
    return end(2, error);
  }
})();

const told = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    told.abort();
  });
}

let running: RunningFabric | undefined;
process.on(LOOK_SIGNAL, () => {
  running?.followUpgrade().catch((error: unknown) => {
    tell({ notice: error instanceof Error ? error.message : String(error) });
  });
});

try {
  const { stateDir, clockOffsetMs, folder } = wanted;
  const { pid } = process;
  writePublic(followerOf(stateDir), `${JSON.stringify({ name: 'ledger', pid, startTime: startTimeOf(pid) })}\n`);
  const path = process.env['PATH'] ?? '';
  const programs = await findPrograms({ folder, path });
  const onNotice = (notice: string) => {
    tell({ notice });
  };
  const network = await startFabric({
    ...{ stateDir, programs, path, clockOffsetMs, onNotice },
    signal: told.signal,
    onProgress: log,
  });
  running = network;
  console.log(JSON.stringify({ ready: true, engine: 'fabric', sequence: network.sequence }));
  const why = await Promise.race([network.failed, aborted(told.signal)]);
  await network.stop();
  if (why !== undefined) {
    tell({ failed: why });
    process.exit(1);
  }
} catch (error) {
  if (!told.signal.aborted) end(1, error);
}
process.exit(0);

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => {
      resolve(undefined);
    });
  });
}
