/**
 * The chaincode process: serves the contracts as chaincode-as-a-service to every peer that connects. Prints one JSON
 * line when ready, ends on SIGTERM and on any error that nobody handles. Its environment: docs/environment.md.
 */
import './lib/silence';
import './lib/identity-unread';
import { readFileSync } from 'node:fs';
import { checkedCode } from './build/digest';
import { setOwnCode } from './lib/code';
import { setEndorserClock } from './lib/guard';
import { chaincodeOf, serverOf, type ServerTls } from './lib/host';

interface Settings {
  readonly ccid: string;
  readonly address: string;
  readonly tls?: ServerTls;
  readonly clockOffsetMs: number;
}

function settingsOf(environment: NodeJS.ProcessEnv): Settings {
  const tls = tlsOf(environment);
  return {
    ccid: required(environment, 'SALUS_CHAINCODE_ID'),
    address: required(environment, 'SALUS_CHAINCODE_ADDRESS'),
    ...(tls && { tls }),
    clockOffsetMs: clockOffset(environment),
  };
}

function tlsOf(environment: NodeJS.ProcessEnv): ServerTls | undefined {
  const names = ['SALUS_CHAINCODE_TLS_KEY', 'SALUS_CHAINCODE_TLS_CERT', 'SALUS_CHAINCODE_TLS_CLIENT_CA'];
  if (names.every((name) => environment[name] === undefined)) return undefined;
  const [key, cert, clientCACerts] = names.map((name) => readFileSync(required(environment, name)));
  if (key === undefined || cert === undefined || clientCACerts === undefined) return undefined;
  return { key, cert, clientCACerts };
}

function required(environment: NodeJS.ProcessEnv, name: string): string {
  const value = environment[name];
  if (value === undefined || value === '') throw new Error(`${name} is not set: see docs/environment.md`);
  return value;
}

function clockOffset(environment: NodeJS.ProcessEnv): number {
  const offset = Number(environment.SALUS_CHAINCODE_CLOCK_OFFSET_MS ?? '0');
  if (!Number.isSafeInteger(offset)) throw new Error('SALUS_CHAINCODE_CLOCK_OFFSET_MS must be whole milliseconds');
  if (offset !== 0 && environment.SALUS_CHAINCODE_PRODUCTION === 'true') {
    throw new Error('SALUS_CHAINCODE_CLOCK_OFFSET_MS is for tests: unset it in production');
  }
  return offset;
}

function end(reason: string): never {
  process.stderr.write(`${JSON.stringify({ error: reason })}\n`);
  process.exit(1);
}

async function serve(): Promise<void> {
  const { ccid, address, tls, clockOffsetMs } = settingsOf(process.env);
  const code = checkedCode(ccid);
  setOwnCode(code);
  setEndorserClock(() => Date.now() + clockOffsetMs);
  await serverOf(chaincodeOf(), ccid, address, tls).start();
  process.stdout.write(`${JSON.stringify({ ready: true, ccid, address, code })}\n`);
}

// The shim's own listeners would log the error, which may quote what a transaction was given, and go on.
for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
  process.removeAllListeners(event);
  process.on(event, (error: unknown) => {
    end(`the chaincode process ends: ${event} of a ${error instanceof Error ? error.name : typeof error}`);
  });
}
process.on('SIGTERM', () => process.exit(0));

serve().catch((error: unknown) => end(error instanceof Error ? error.message : 'the chaincode process cannot start'));
