/** The REST interface of a Fabric CA server (Hyperledger Fabric CA 1.5, swagger-fabric-ca.json). */
import { request, type RequestOptions } from 'node:https';

/** How long a call may take, in milliseconds: issuing takes some, and a server that hangs is told apart. */
const TIMEOUT_MS = 15_000;
/** No answer is longer: a revocation list of some thousand certificates. */
const ANSWER_BYTES = 1_048_576;

/** What a Fabric CA server answered to a call that it did not carry out. */
export class FabricCaRefusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = 'FabricCaRefusal';
  }
}

/** One certificate authority of a Fabric CA server. */
export interface FabricCaAddress {
  /** https://host:port */
  readonly url: string;
  /** The authority's name on the server; empty = its default one. */
  readonly name: string;
  /** PEM of the root under which the server's TLS certificate was issued. */
  readonly tlsRoot: string;
  /** PEM of the TLS certificate that the caller shows where the server asks for one, and of its key. */
  readonly client: { readonly cert: string; readonly key: string };
}

/** How a call shows who makes it: the value of its Authorization header. */
export type Authorisation = (method: string, uri: string, body: string) => string;

interface Envelope {
  readonly success?: boolean;
  readonly result?: unknown;
  readonly errors?: readonly { readonly code: number; readonly message: string }[];
}

/** Calls the server with a JSON body; throws a FabricCaRefusal, or an Error when it does not answer. */
export async function call(
  ca: FabricCaAddress,
  method: 'POST' | 'PUT',
  path: string,
  content: Readonly<Record<string, unknown>>,
  authorise?: Authorisation,
): Promise<Readonly<Record<string, unknown>>> {
  const uri = `/api/v1/${path}`;
  const body = JSON.stringify({ ...content, ...(ca.name !== '' && { caname: ca.name }) });
  const authorization = authorise?.(method, uri, body);
  const headers = { 'content-type': 'application/json', ...(authorization !== undefined && { authorization }) };
  const { status, text } = await exchange(
    new URL(uri, ca.url),
    { method, headers, ca: ca.tlsRoot, ...ca.client },
    body,
  );
  const { success, result, errors = [] } = parsed(text);
  if (success === true && typeof result === 'object' && result !== null) return result as Record<string, unknown>;
  const said = errors.map(({ message }) => message).join('; ') || `status ${status}`;
  throw new FabricCaRefusal(status, `the Fabric CA at ${ca.url} refused ${path}: ${said}`);
}

/** A text that the server sends in base64; throws when the answer lacks it. */
export function decoded(result: Readonly<Record<string, unknown>>, key: string): string {
  const value = result[key];
  if (typeof value !== 'string' || value === '') throw new Error(`a Fabric CA's answer without ${key}`);
  return Buffer.from(value, 'base64').toString();
}

function exchange(url: URL, options: RequestOptions, body: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      reject(new Error(`the Fabric CA at ${url.origin} does not answer (${why}): start it, or correct its url`));
    };
    const sent = request(url, { ...options, timeout: TIMEOUT_MS }, (answer) => {
      const chunks: Buffer[] = [];
      let size = 0;
      answer.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > ANSWER_BYTES) sent.destroy(new Error(`more than ${ANSWER_BYTES} bytes`));
        else chunks.push(chunk);
      });
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
      });
      answer.on('error', (error) => {
        fail(error.message);
      });
    });
    sent.on('timeout', () => sent.destroy(new Error(`nothing within ${TIMEOUT_MS / 1000} s`)));
    sent.on('error', (error) => {
      fail(error.message);
    });
    sent.end(body);
  });
}

function parsed(text: string): Envelope {
  try {
    return JSON.parse(text) as Envelope;
  } catch {
    return {};
  }
}
