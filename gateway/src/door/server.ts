/** The door: HTTPS between gateways, mutual TLS, `/door/fhir/R4`. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

import { operationOutcome, outcomeOf } from '../fhir/outcome.js';
import { Refusal } from '../ledger/refusal.js';
import { percentDecoded } from '../percent.js';
import type { Directory } from '../registry/directory.js';
import { rootHash } from '../registry/entries.js';
import type { GatewaySettings } from '../settings.js';
import { BREAK_GLASS_PATH, hearGlass, type GlassDoorPorts } from '../glass/door.js';
import { admit, provenAccess, type AdmissionPorts, type DoorCall } from './admission.js';
import { answerCall, type AnswerPorts } from './answer.js';
import { DENIAL_PATH, hearDenial, MAX_DENIAL_BYTES, type DenialPorts } from './denial.js';
import { hearWithdrawal, WITHDRAWAL_PATH, type WithdrawalPorts } from './withdrawal.js';

/** Path under which a door answers, with the slash at its end. */
export const DOOR_BASE = '/door/fhir/R4/';
/** How long a door keeps an idle line, ms; longer than who calls, so that the caller is the one to close it. */
const DOOR_IDLE_MS = 75_000;
/** Longest body a door reads of a withdrawal, bytes. */
export const MAX_DOOR_BODY_BYTES = 65_536;

/** What a door is put together from. */
export type DoorPorts = AdmissionPorts &
  AnswerPorts &
  DenialPorts &
  WithdrawalPorts &
  GlassDoorPorts & {
    readonly settings: Pick<GatewaySettings, 'door' | 'doorTls' | 'member'>;
    readonly directory: Pick<Directory, 'underRoot' | 'roles'>;
    /** What else is told or asked here, by path. */
    readonly heard: Readonly<Record<string, Heard>>;
  };

/** Who answers under a path; undefined shows nothing. */
export interface Heard {
  /** Longest body, bytes. */
  readonly most: number;
  readonly hear: (teller: string, body: string) => Promise<object | undefined>;
}

interface DoorReply {
  readonly status: number;
  /** JSON, or its text. */
  readonly body: object | string;
}

/** Denied, absent, expired, replayed, out of scope: one answer. */
const ABSENT: DoorReply = {
  status: 404,
  body: operationOutcome([{ severity: 'error', code: 'not-found', diagnostics: 'nothing here' }]),
};

/** Opens the door; resolves once it listens. Port 0 takes a free one. */
export async function openDoor(ports: DoorPorts): Promise<Server> {
  const { doorTls, door } = ports.settings;
  const ca = readFileSync(doorTls.ca, 'utf8');
  const roots = certificatesIn(ca);
  const server = createServer(
    {
      keepAliveTimeout: DOOR_IDLE_MS,
      cert: readFileSync(doorTls.cert),
      key: readFileSync(doorTls.key),
      ca,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.3',
    },
    (request, response) => {
      serve(ports, request, memberAt(request.socket, roots, ports.directory)).then(
        (reply) => {
          send(response, reply);
        },
        (error: unknown) => {
          send(response, failure(error));
        },
      );
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(door.port, door.host, resolve);
  });
  return server;
}

/** A body beyond the limit is told so, since it says nothing of any record; whatever else went wrong may be tried again. */
function failure(error: unknown): DoorReply {
  if (!(error instanceof Refusal) || error.code !== 'too-large') {
    return { status: 503, body: operationOutcome([{ severity: 'error', code: 'transient' }]) };
  }
  const { status, resource } = outcomeOf(error);
  return { status, body: resource };
}

async function serve(ports: DoorPorts, request: IncomingMessage, tlsMember: string | undefined): Promise<DoorReply> {
  const url = new URL(request.url ?? '/', `https://${request.headers.host ?? 'door'}`);
  if (tlsMember === undefined || !url.pathname.startsWith(DOOR_BASE)) return ABSENT;
  const path = percentDecoded(url.pathname.slice(DOOR_BASE.length));
  if (path === undefined) return ABSENT;
  const heard = request.method === 'POST' ? heardAt(ports, path) : undefined;
  if (heard !== undefined) return shown(await heard.hear(tlsMember, await bodyOf(request, heard.most)));
  const call = callOf(request, url, { path, tlsMember });
  if (path === BREAK_GLASS_PATH) return await breakGlass(ports, call, await bodyOf(request, MAX_DOOR_BODY_BYTES));
  return await show(ports, call);
}

function callOf(request: IncomingMessage, url: URL, known: Pick<DoorCall, 'path' | 'tlsMember'>): DoorCall {
  return {
    ...known,
    method: request.method ?? '',
    url: url.href,
    query: url.searchParams,
    accessId: header(request, 'x-access-id'),
    proof: header(request, 'x-access-proof'),
  };
}

async function breakGlass(ports: DoorPorts, call: DoorCall, body: string): Promise<DoorReply> {
  const record = call.method === 'POST' ? await provenAccess(ports, call) : undefined;
  return shown(record && (await hearGlass(ports, record, body)));
}

function heardAt(ports: DoorPorts, path: string): Heard | undefined {
  if (path === WITHDRAWAL_PATH) {
    return { most: MAX_DOOR_BODY_BYTES, hear: (teller, body) => hearWithdrawal(ports, teller, body) };
  }
  if (path === DENIAL_PATH) {
    return { most: MAX_DENIAL_BYTES, hear: (teller, body) => Promise.resolve(hearDenial(ports, teller, body)) };
  }
  return Object.hasOwn(ports.heard, path) ? ports.heard[path] : undefined;
}

function shown(body: object | string | undefined): DoorReply {
  return body === undefined ? ABSENT : { status: 200, body };
}

async function show(ports: DoorPorts, call: DoorCall): Promise<DoorReply> {
  const admitted = await admit(ports, call);
  if (admitted === undefined) return ABSENT;
  return shown(await answerCall(ports, admitted, call));
}

/** The member whose root, as the registry has it now, issued the certificate at the other end of the line. */
function memberAt(
  socket: Socket,
  roots: readonly X509Certificate[],
  directory: Pick<Directory, 'underRoot'>,
): string | undefined {
  if (!rootsAt.has(socket)) rootsAt.set(socket, rootAt(socket, roots));
  const root = rootsAt.get(socket);
  return root === undefined ? undefined : directory.underRoot(root);
}

/** Hashes of roots by line: TLS 1.3 as it is set up here never shows another certificate on the same line. */
const rootsAt = new WeakMap<Socket, string | undefined>();

function rootAt(socket: Socket, roots: readonly X509Certificate[]): string | undefined {
  const certificate = socket instanceof TLSSocket && socket.authorized ? socket.getPeerX509Certificate() : undefined;
  if (certificate === undefined) return undefined;
  const root = roots.find((each) => certificate.checkIssued(each) && certificate.verify(each.publicKey));
  return root && rootHash(root);
}

/** The certificates of a PEM file. */
function certificatesIn(pem: string): X509Certificate[] {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return found.map((each) => new X509Certificate(each));
}

function header(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? value : '';
}

/** The body's text. Throws Refusal too-large. */
async function bodyOf(request: IncomingMessage, most: number): Promise<string> {
  const tooLarge = new Refusal('invalid', 'too-large', `a door reads at most ${most} bytes of a body`);
  // Said before it is read: what is left unread ends the connection, and nobody is told anything.
  if (Number(request.headers['content-length'] ?? 0) > most) throw tooLarge;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > most) throw tooLarge;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, { status, body }: DoorReply): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, {
    'Content-Type': 'application/fhir+json',
    'Cache-Control': 'no-store',
    // Without its length it would go out, and be taken together again, in pieces.
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}
