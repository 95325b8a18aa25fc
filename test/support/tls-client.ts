/** A TLS client that shows whatever certificate a test gives it, and takes any server's. */
import { get, type RequestOptions } from 'node:https';
import { connect, type ConnectionOptions } from 'node:tls';

/** As long as a server that refuses does not take to say so. */
const SILENCE_MS = 3_000;

/** What ends a connection on which the client waits: the code of an error, or nothing. */
export function saidTo(place: ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ ...place, rejectUnauthorized: false });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? error.message);
    });
    socket.setTimeout(SILENCE_MS, () => {
      socket.destroy();
      resolve('nothing');
    });
  });
}

/** Status of what a port answers at a path to whoever shows this certificate. */
export function statusOf(
  { host, port }: { readonly host: string; readonly port: number },
  path: string,
  by: ConnectionOptions,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { ...by, host, port, path, rejectUnauthorized: false, agent: false };
    get(options as RequestOptions, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    }).on('error', reject);
  });
}
