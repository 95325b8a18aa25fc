/**
 * The embedded ledger as a process: `node main.js <state folder> [--chaincode-per-member] [--timed-blocks]
 * [--clock-offset-ms N]`. Prints one JSON line when it is ready, stops cleanly on SIGTERM and SIGINT.
 */
import { parseArgs } from 'node:util';
import { startEmbedded, type EmbeddedOptions } from './node/network.js';

const USAGE = 'usage: main.js <state folder> [--chaincode-per-member] [--timed-blocks] [--clock-offset-ms N]';

function log(line: string): void {
  process.stderr.write(`${new Date().toISOString()} ${line}\n`);
}

/** Exit codes: 1 failed, 2 wrong use. */
function fail(error: unknown): never {
  log(`embedded ledger: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  process.exit(1);
}

function wrongUse(why: string): never {
  log(`${why}; ${USAGE}`);
  process.exit(2);
}

function options(): EmbeddedOptions {
  const { positionals, values } = readArguments();
  const [stateDir, ...more] = positionals;
  const clockOffsetMs = Number(values['clock-offset-ms'] ?? 0);
  if (stateDir === undefined || more.length > 0) wrongUse('one state folder is needed');
  if (!Number.isSafeInteger(clockOffsetMs)) wrongUse('the clock offset is a whole number of milliseconds');
  return {
    stateDir,
    clockOffsetMs,
    chaincodePerMember: values['chaincode-per-member'] ?? false,
    timedBlocks: values['timed-blocks'] ?? false,
    nodeEnvironment: process.env['NODE_ENV'],
    log,
    failed: fail,
  };
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        'chaincode-per-member': { type: 'boolean' },
        'timed-blocks': { type: 'boolean' },
        'clock-offset-ms': { type: 'string' },
      },
    });
  } catch (error) {
    wrongUse((error as Error).message);
  }
}

process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

try {
  const network = await startEmbedded(options());
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      network.stop().then(() => process.exit(0), fail);
    });
  }
  const { channel, chaincode, sequence, height } = network;
  console.log(JSON.stringify({ ready: true, engine: 'embedded ledger', channel, chaincode, sequence, height }));
} catch (error) {
  fail(error);
}
