/** Calls other members' doors. */
import { readFileSync } from 'node:fs';

import { Agent, request } from 'undici';

import { parseExactly, type JsonObject } from '../fhir/json.js';
import type { SigningKey } from '../identity/keys.js';
import type { GatewaySettings } from '../settings.js';
import { signProof } from './proof.js';
import { DOOR_BASE } from './server.js';
import { WITHDRAWAL_PATH, type Withdrawal } from './withdrawal.js';

/** How long a door may take, ms. */
const ANSWER_MS = 20_000;
/** How long a door may take to hear of a withdrawal, ms. */
const TELL_MS = 2_000;

export interface CallerPorts {
  readonly settings: Pick<GatewaySettings, 'doorTls' | 'members' | 'member'>;
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
  readonly #agent: Agent;

  constructor(private readonly ports: CallerPorts) {
    const { cert, key, ca } = ports.settings.doorTls;
    this.#agent = new Agent({
      connect: { cert: readFileSync(cert), key: readFileSync(key), ca: readFileSync(ca), minVersion: 'TLSv1.3' },
    });
  }

  /** The custodian's Bundle, decimals exact; undefined when its door shows nothing. Throws when it cannot be asked. */
  async ask({ custodian, aid, actor, path }: DoorQuestion): Promise<JsonObject | undefined> {
    const url = new URL(`${this.#doorOf(custodian)}${DOOR_BASE}${path}`);
    const proof = { aid, actor, htm: 'GET', htu: url.href, aud: custodian };
    const signed = await signProof(proof, this.ports.signingKey, this.ports.clock());
    const { statusCode, body } = await request(url, {
      dispatcher: this.#agent,
      headers: { 'x-access-id': aid, 'x-access-proof': signed },
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const text = await body.text();
    if (statusCode === 404) return undefined;
    if (statusCode !== 200) throw new Error(`the door of ${custodian} answered ${statusCode}`);
    return parseExactly(text) as JsonObject;
  }

  /** Tells doors of a withdrawal, all at once; resolves when all have answered or the time is up. */
  async tell(custodians: readonly string[], withdrawal: Withdrawal): Promise<void> {
    await Promise.allSettled(custodians.map((custodian) => this.#tellOne(custodian, withdrawal)));
  }

  async close(): Promise<void> {
    await this.#agent.close();
  }

  async #tellOne(custodian: string, withdrawal: Withdrawal): Promise<void> {
    const { body } = await request(`${this.#doorOf(custodian)}${DOOR_BASE}${WITHDRAWAL_PATH}`, {
      method: 'POST',
      dispatcher: this.#agent,
      body: JSON.stringify(withdrawal),
      signal: AbortSignal.timeout(TELL_MS),
    });
    await body.dump();
  }

  #doorOf(custodian: string): string {
    const member = this.ports.settings.members.find(({ name }) => name === custodian);
    if (member === undefined) throw new Error(`${custodian} is no member`);
    return member.doorUrl.replace(/\/$/, '');
  }
}
