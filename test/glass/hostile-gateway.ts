/** A member that cheats: it has its gateway's key, certificate and disk, and asks another member's door what it likes. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

import { EMERGENCY_TYPES, type SignedLate } from '@salus/chaincode/access/api';
import { signProof } from '@salus/gateway/door/proof';
import { readSigningKey, type SigningKey } from '@salus/gateway/identity/keys';
import { signCanonical } from '@salus/gateway/identity/statements';
import { projectionFile } from '@salus/gateway/open-projection';
import type { GatewaySettings } from '@salus/gateway/settings';
import { Agent, request } from 'undici';

import { gatewaySettings } from '../support/gateway-settings.js';

export interface DoorSaid {
  readonly status: number;
  readonly text: string;
}

/** One member's gateway without its program. */
export class HostileGateway {
  readonly #settings: GatewaySettings;
  readonly #line: Agent;

  private constructor(
    stateDir: string,
    readonly member: string,
    readonly key: SigningKey,
  ) {
    this.#settings = gatewaySettings(stateDir, member);
    const { cert, key: tlsKey, ca } = this.#settings.doorTls;
    this.#line = new Agent({ connect: { cert: readFileSync(cert), key: readFileSync(tlsKey), ca: readFileSync(ca) } });
  }

  static of(stateDir: string, member: string): HostileGateway {
    return new HostileGateway(stateDir, member, readSigningKey(gatewaySettings(stateDir, member).jwk));
  }

  /** The random id of a patient, which every hospital's projection holds. */
  pidOf(patientId: string): string {
    return String(
      this.#fact('SELECT value FROM fact WHERE space = ? AND key = ?', 'patient', `id/${patientId}/stmary`),
    );
  }

  /** Id of an access to a patient's record, of those that this member asked for. */
  accessTo(patientId: string): string {
    const key = 'SELECT key AS value FROM fact WHERE space = ? AND key LIKE ?';
    return String(this.#fact(key, 'access', `${this.pidOf(patientId)}/%`)).split('/')[1] ?? '';
  }

  /** Milliseconds since the last tick that this member's projection has applied. */
  sinceTick(): number {
    const tick = this.#fact('SELECT value FROM fact WHERE space = ? AND key = ?', 'clock', 'now');
    return Date.now() - Date.parse((JSON.parse(String(tick)) as { time: string }).time);
  }

  #fact(sql: string, ...values: readonly string[]): unknown {
    const database = new DatabaseSync(projectionFile(this.#settings), { readOnly: true });
    try {
      return database.prepare(sql).get(...values)?.value;
    } finally {
      database.close();
    }
  }

  /** What a gateway signs in an emergency. */
  says(pid: string, change: Partial<SignedLate> = {}): SignedLate {
    return {
      ...{ channel: this.#settings.channel, aid: randomBytes(32).toString('hex'), member: this.member, pid },
      actor: { user: 'u-mallory', role: 'physician' },
      purpose: 'BTG',
      scope: { types: EMERGENCY_TYPES, interaction: 'everything' },
      breakGlass: { reasonCode: 'unconscious' },
      at: new Date().toISOString(),
      ...change,
    };
  }

  /** Asks stmary's door by a signed request, or by what is made of it. */
  async ask(said: SignedLate, by = this.key, changed = (request: string): string => request): Promise<DoorSaid> {
    const request = changed(await signCanonical(said, by));
    return await this.post(JSON.stringify({ request, text: 'no reason at all' }));
  }

  async post(body: string): Promise<DoorSaid> {
    return await this.tell('$break-glass-late', body);
  }

  /** Tells stmary's door something under a path. */
  async tell(path: string, body: string): Promise<DoorSaid> {
    return await this.#call('POST', path, {}, body);
  }

  /** Reads at stmary's door under an access. */
  async read({ aid, actor }: Pick<SignedLate, 'aid' | 'actor'>, path: string): Promise<DoorSaid> {
    const proof = { aid, actor, htm: 'GET', htu: this.#url(path).href, aud: 'stmary' };
    const signed = signProof(proof, this.key, Date.now());
    return await this.#call('GET', path, { 'x-access-id': aid, 'x-access-proof': signed });
  }

  async close(): Promise<void> {
    await this.#line.close();
  }

  #url(path: string): URL {
    const door = this.#settings.members.find(({ name }) => name === 'stmary')?.doorUrl ?? '';
    return new URL(`${door.replace(/\/$/, '')}/door/fhir/R4/${path}`);
  }

  async #call(method: 'GET' | 'POST', path: string, headers: Record<string, string>, body?: string): Promise<DoorSaid> {
    const sent = { method, dispatcher: this.#line, headers, ...(body === undefined ? {} : { body }) };
    const answer = await request(this.#url(path), sent);
    return { status: answer.statusCode, text: await answer.body.text() };
  }
}
