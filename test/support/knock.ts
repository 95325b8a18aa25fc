/** Knocks at a door as a member's gateway does, or as one that cheats does. */
import { readFileSync } from 'node:fs';

import { signProof, type ProofOf } from '@salus/gateway/door/proof';
import { Agent, request } from 'undici';

import type { Hospital, SharingWorld } from './sharing-world.js';

/** One call; what is not said is as the right caller has it. */
export interface Knock {
  /** Below the base, query included. */
  readonly path: string;
  /** Whom the proof names. */
  readonly by: { readonly user: string; readonly role: string };
  /** Whose key signs, and whose certificate is shown. */
  readonly signer: Hospital;
  readonly line: Hospital;
  /** Says something else than what is asked. */
  readonly claims?: Partial<ProofOf>;
  /** Milliseconds by which the signer's clock is ahead. */
  readonly aheadMs?: number;
  /** A proof as it was made before, or garbage. */
  readonly proof?: string;
}

/** What came of it, and with which proof. */
export interface Knocked {
  readonly status: number;
  readonly body: string;
  readonly proof: string;
}

/** Keeps a line for each member; `close` ends them. */
export class Knocker {
  readonly #lines = new Map<Hospital, Agent>();

  constructor(private readonly world: SharingWorld) {}

  /** Base of the door of stmary. */
  get base(): string {
    return `${this.world.stmary.settings.members[0]!.doorUrl}/door/fhir/R4/`;
  }

  async knock(aid: string, call: Knock): Promise<Knocked> {
    const url = new URL(this.base + call.path);
    const claims = { aid, actor: call.by, htm: 'GET', htu: url.href, aud: 'stmary', ...call.claims };
    const now = this.world.contracts.clockMs + (call.aheadMs ?? 0);
    const proof = call.proof ?? signProof(claims, call.signer.signing, now);
    const headers = { 'x-access-id': aid, 'x-access-proof': proof };
    const { statusCode, body } = await request(url, { dispatcher: this.lineOf(call.line), headers });
    return { status: statusCode, body: await body.text(), proof };
  }

  /** The line of a member's gateway, with its door certificate. */
  lineOf(hospital: Hospital): Agent {
    const { cert, key, ca } = hospital.settings.doorTls;
    const known = this.#lines.get(hospital);
    if (known !== undefined) return known;
    const agent = new Agent({ connect: { cert: readFileSync(cert), key: readFileSync(key), ca: readFileSync(ca) } });
    this.#lines.set(hospital, agent);
    return agent;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#lines.values()].map((agent) => agent.close()));
  }
}
