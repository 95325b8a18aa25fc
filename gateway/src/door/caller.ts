/** Calls other members' doors. */
import { readFileSync } from 'node:fs';
import { checkServerIdentity, type DetailedPeerCertificate, type PeerCertificate } from 'node:tls';

import { Agent, request } from 'undici';

import type { AskCustodian } from '../consent/elsewhere.js';
import type { TellDoors } from '../consent/recorder.js';
import { parseExactly, type JsonObject } from '../fhir/json.js';
import type { SigningKey } from '../identity/keys.js';
import type { Commit } from '../ports.js';
import type { Directory } from '../registry/directory.js';
import { rootHash } from '../registry/entries.js';
import type { GatewaySettings } from '../settings.js';
import { signProof } from './proof.js';
import { DOOR_BASE } from './server.js';
import { BREAK_GLASS_PATH } from '../glass/door.js';
import { DENIAL_PATH } from './denial.js';
import { WITHDRAWAL_PATH } from './withdrawal.js';

/** How long a door may take, ms. */
const ANSWER_MS = 20_000;
/** How long an idle line is kept, ms: setting one up costs more than asking. */
const IDLE_MS = 60_000;
/** How long a door may take to hear of a withdrawal or a denial, ms. */
const TELL_MS = 2_000;

/** Where the doors are, whom they belong to, and with which key and certificate they are called. */
export interface CallerPorts {
  readonly settings: Pick<GatewaySettings, 'doorTls'>;
  readonly directory: Pick<Directory, 'doorUrl' | 'doorRoots'>;
  readonly signingKey: SigningKey;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** What is asked under an access. */
export interface DoorQuestion {
  readonly custodian: string;
  readonly aid: string;
  readonly actor: { readonly user: string; readonly role: string };
  /** Below the base, query included: `Observation?patient=1`. */
  readonly path: string;
}

/** The gateway's line to other members' doors. */
export class DoorCaller {
  readonly #lines = new Map<string, Line>();
  readonly #tls: { readonly cert: Buffer; readonly key: Buffer; readonly ca: Buffer };

  constructor(private readonly ports: CallerPorts) {
    const { cert, key, ca } = ports.settings.doorTls;
    this.#tls = { cert: readFileSync(cert), key: readFileSync(key), ca: readFileSync(ca) };
  }

  /** The custodian's Bundle, decimals exact; undefined when its door shows nothing. Throws when it cannot be asked. */
  async ask({ custodian, aid, actor, path }: DoorQuestion): Promise<JsonObject | undefined> {
    const { status, text } = await this.#prove({ custodian, aid, actor }, { method: 'GET', path });
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`the door of ${custodian} answered ${status}`);
    return parseExactly(text) as JsonObject;
  }

  /** Gives a custodian the reason of a break-glass access: how it stands there. Throws when it cannot be asked. */
  async breakGlass(
    { custodian, aid, actor }: Omit<DoorQuestion, 'path'>,
    text: string,
  ): Promise<'open' | 'waiting' | 'refused'> {
    const asked = { method: 'POST', path: BREAK_GLASS_PATH, body: JSON.stringify({ text }) } as const;
    const answer = await this.#prove({ custodian, aid, actor }, asked);
    if (answer.status === 200) return (JSON.parse(answer.text) as { state: 'open' | 'waiting' | 'refused' }).state;
    if (answer.status === 404) return 'refused';
    throw new Error(`the door of ${custodian} answered ${answer.status}`);
  }

  /** Tells doors of a withdrawal or a denial, all at once; resolves when all have answered or the time is up. */
  tell: TellDoors = async (custodians, told) => {
    const path = 'consent' in told ? DENIAL_PATH : WITHDRAWAL_PATH;
    await Promise.allSettled(custodians.map((custodian) => this.#post(custodian, path, told, TELL_MS)));
  };

  /** Asks a custodian to end a consent for a patient who is here. Throws when it cannot be asked. */
  askEnd: AskCustodian = async (custodian, end) => {
    const answer = await this.say(custodian, WITHDRAWAL_PATH, end);
    if (answer === undefined) throw new Error(`the door of ${custodian} answered 404`);
    return (answer as { readonly commit?: Commit }).commit;
  };

  /** Tells or asks a door something under a path: its answer; undefined when it shows nothing. Throws when it cannot. */
  say = (member: string, path: string, words: object): Promise<unknown> => this.#post(member, path, words, ANSWER_MS);

  async close(): Promise<void> {
    await Promise.all([...this.#lines.values()].map(({ agent }) => agent.close()));
  }

  async #post(member: string, path: string, words: object, mostMs: number): Promise<unknown> {
    const { status, text } = await this.#send(member, { method: 'POST', path, body: JSON.stringify(words), mostMs });
    if (status === 200) return JSON.parse(text) as unknown;
    if (status === 404) return undefined;
    throw new Error(`the door of ${member} answered ${status}`);
  }

  /** Under an access, with a proof of this very call. */
  async #prove(
    { custodian, aid, actor }: Omit<DoorQuestion, 'path'>,
    asked: Pick<Sent, 'method' | 'path' | 'body'>,
  ): Promise<Replied> {
    const htu = new URL(`${this.#lineTo(custodian).door}${DOOR_BASE}${asked.path}`).href;
    const proof = { aid, actor, htm: asked.method, htu, aud: custodian };
    const signed = signProof(proof, this.ports.signingKey, this.ports.clock());
    const headers = { 'x-access-id': aid, 'x-access-proof': signed };
    return await this.#send(custodian, { ...asked, headers, mostMs: ANSWER_MS });
  }

  async #send(member: string, { method, path, body, headers, mostMs }: Sent): Promise<Replied> {
    const { door, agent } = this.#lineTo(member);
    return await inTime(mostMs, async (signal) => {
      const answer = await request(new URL(`${door}${DOOR_BASE}${path}`), {
        ...{ method, dispatcher: agent, signal },
        ...(body !== undefined && { body }),
        ...(headers !== undefined && { headers }),
      });
      return { status: answer.statusCode, text: await answer.body.text() };
    });
  }

  /** The line to a custodian's door as the registry has it now; of a door that moved, the old line is closed. */
  #lineTo(custodian: string): Line {
    const door = this.ports.directory.doorUrl(custodian);
    if (door === undefined) throw new Error(`${custodian} is no member`);
    const roots = this.ports.directory.doorRoots(custodian);
    const known = this.#lines.get(custodian);
    if (known?.door === door && known.roots.join() === roots.join()) return known;
    known?.agent.close().catch(() => undefined);
    const checkServerIdentity = (host: string, shown: PeerCertificate) => strangerAt(custodian, roots, host, shown);
    const agent = new Agent({
      keepAliveTimeout: IDLE_MS,
      connect: { ...this.#tls, minVersion: 'TLSv1.3', checkServerIdentity },
    });
    const line = { door, roots, agent };
    this.#lines.set(custodian, line);
    return line;
  }
}

/** What is sent to a door. */
interface Sent {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly mostMs: number;
}

/** What it answers. */
interface Replied {
  readonly status: number;
  readonly text: string;
}

/** Work that is given up after so long, ms. Unlike `AbortSignal.timeout` it leaves nothing behind when it ends before. */
async function inTime<T>(mostMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const giving = new AbortController();
  const timer = setTimeout(() => {
    giving.abort(new Error(`no answer within ${mostMs} ms`));
  }, mostMs);
  try {
    return await work(giving.signal);
  } finally {
    clearTimeout(timer);
  }
}

interface Line {
  readonly door: string;
  readonly roots: readonly string[];
  readonly agent: Agent;
}

/** What is wrong with the certificate that a door shows: of the right host, and under a root of this very member. */
function strangerAt(
  custodian: string,
  roots: readonly string[],
  host: string,
  shown: PeerCertificate,
): Error | undefined {
  let root = shown as DetailedPeerCertificate;
  while ((root.issuerCertificate as unknown) !== undefined && root.issuerCertificate !== root) {
    root = root.issuerCertificate;
  }
  if (!roots.includes(rootHash(root)))
    return new Error(`the door of ${custodian} shows a certificate of somebody else`);
  return checkServerIdentity(host, shown);
}
