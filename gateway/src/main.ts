/**
 * The gateways as a process: `node main.js <settings.json>...` starts one isolated app for each settings file. Prints
 * one JSON line when all are ready, and until then how far each that lags is; stops cleanly on SIGTERM and SIGINT.
 */
import { pino } from 'pino';

import { loadConfig } from './config.js';
import { startMember } from './member.js';
import type { RunningMember } from './start.js';

/** A stop that takes longer is ended, milliseconds. */
const STOP_MS = 8_000;

/** Standard error; lines of up to 100 ms go together, since each write costs as much as a good part of a read. */
const LOG = { dest: 2, minLength: 4096, periodicFlush: 100 };

async function main(): Promise<void> {
  const config = loadConfig(process.argv.slice(2));
  const log = pino({ level: config.logLevel }, pino.destination(LOG));
  const { importOrigins, subscriberOrigins } = config;
  const issuer = config.issuer === undefined ? {} : { issuer: config.issuer };
  const members = await Promise.all(
    config.apps.map((settings) => {
      const { member } = settings;
      const onProgress = (height: number, of: number): void => {
        say({ ready: false, member, height, of });
      };
      return startMember(settings, {
        log: log.child({ member }),
        ...issuer,
        importOrigins,
        subscriberOrigins,
        onProgress,
      });
    }),
  );
  stopOnSignal(members);
  for (const { failed } of members) failed.catch(fail);
  await Promise.all(members.map(({ ready }) => ready));
  const ports = Object.fromEntries(members.map(({ member, port }) => [member, port]));
  say({ ready: true, gateways: ports });
}

/** One JSON line to whoever started this process. */
function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function stopOnSignal(members: readonly RunningMember[]): void {
  const stop = (): void => {
    setTimeout(() => process.exit(1), STOP_MS).unref();
    Promise.all(members.map((member) => member.stop())).then(() => process.exit(0), fail);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop);
}

/** Exit code 1: failed. What failed is said without what was being written. */
function fail(error: unknown): never {
  process.stderr.write(`gateway: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
}

process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

await main().catch(fail);
