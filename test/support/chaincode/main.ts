/** The test chaincode as a service: `node main.js '{"address","packageId","tls"?}'`; prints one line when it serves. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { ChaincodeServerOpts, ChaincodeStub } from 'fabric-shim';
import { AskedResponse, runOperations, type Operation } from './operations.js';

const { Shim } = createRequire(import.meta.url)('fabric-shim') as typeof import('fabric-shim');

/** What the process is told: where to serve, as what, and the files of its TLS. */
export interface ChaincodeOptions {
  readonly address: string;
  readonly packageId: string;
  readonly tls?: { readonly key: string; readonly cert: string; readonly clientCa?: string };
}

const options = JSON.parse(process.argv[2] ?? '{}') as ChaincodeOptions;

async function invoke(stub: ChaincodeStub) {
  try {
    const operations = JSON.parse(stub.getStringArgs()[1] ?? '[]') as Operation[];
    const results = await runOperations(stub, operations);
    if (!(results instanceof AskedResponse)) return Shim.success(Buffer.from(JSON.stringify(results)));
    return { status: results.status, message: results.message, payload: results.payload };
  } catch (error) {
    return Shim.error((error as Error).message);
  }
}

function tlsOf({ tls }: ChaincodeOptions): Partial<ChaincodeServerOpts> {
  if (!tls) return {};
  const clientCa = tls.clientCa === undefined ? {} : { clientCACerts: readFileSync(tls.clientCa) };
  return {
    tlsProps: {
      key: readFileSync(tls.key),
      cert: readFileSync(tls.cert),
      ...clientCa,
    } as ChaincodeServerOpts['tlsProps'],
  };
}

const server = Shim.server({ Init: () => Promise.resolve(Shim.success()), Invoke: invoke }, {
  ccid: options.packageId,
  address: options.address,
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  ...tlsOf(options),
} as ChaincodeServerOpts);
await server.start();
console.log(JSON.stringify({ ready: true }));
