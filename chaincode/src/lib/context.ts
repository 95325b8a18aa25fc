import { Context } from 'fabric-contract-api';
import { roles } from '../access/roles';
import { TICK_STALE_MS } from '../clock/api';
import { clockKind, NOW } from '../clock/state';
import { canonical, type JsonObject } from './canonical';
import { certificateOf } from './certificate';
import { admit, isNearEndorserClock } from './guard';
import { memberOf } from './member';
import { load } from './record';
import { refuseCall } from './refusal';
import { code, object, type Parser, parseText } from './schema';

/** The member that calls, by the certificate of its gateway. */
export interface Caller {
  readonly member: string;
  readonly mspId: string;
}

/** The person whom that member's gateway authenticated and vouches for. */
export interface Actor {
  /** Random id of the person within the member. */
  readonly user: string;
  readonly role: string;
  readonly purpose: string;
}

const parseActor: Parser<Actor> = object<Actor>({ user: code, role: code, purpose: code });

/** All a transaction knows of its surroundings. */
export class SalusContext extends Context {
  private known: Caller | undefined;

  /** The guard of every transaction: time, certificate, and that a gateway calls. */
  admit(): void {
    const { mspid, idBytes } = this.stub.getCreator();
    const certificate = certificateOf(Buffer.from(idBytes).toString('utf8'));
    admit(this.now, certificate);
    if (!certificate.units.includes('gateway')) {
      throw refuseCall('not-a-gateway', "only a member's gateway may call: its certificate has the OU gateway");
    }
    this.known = { mspId: mspid, member: memberOf(mspid) };
  }

  /** Who calls; known once admitted. */
  get caller(): Caller {
    if (this.known === undefined) throw new Error('the caller was not admitted');
    return this.known;
  }

  /** For whom it calls, from the transient map. Refused when absent or without a known role. */
  get actor(): Actor {
    const actor = this.transient('actor', parseActor, 'actor-missing');
    if (!(roles as readonly string[]).includes(actor.role)) throw refuseCall('role-unknown', 'actor.role is no role');
    return actor;
  }

  /** The proposal's timestamp as a FHIR instant: for stamping only. */
  get now(): string {
    const { seconds, nanos } = this.stub.getTxTimestamp();
    return new Date(Number(seconds) * 1000 + Math.floor(nanos / 1_000_000)).toISOString();
  }

  get channel(): string {
    return this.stub.getChannelID();
  }

  get transactionId(): string {
    return this.stub.getTxID();
  }

  /** The last tick, for all that is decided by time; the transaction dies if it is held over the next one. */
  async clock(): Promise<string> {
    const tick = await this.lastTick();
    if (tick === undefined || !this.isNear(tick, TICK_STALE_MS)) {
      throw refuseCall('no-recent-tick', 'the last tick is over 90 s from this endorser: wait for the next tick');
    }
    return tick;
  }

  /** The last tick, however old it is: for what an old one only makes stricter. */
  async lastTick(): Promise<string | undefined> {
    return (await load(this, clockKind, NOW))?.time;
  }

  /** Whether an instant is within so many milliseconds of this endorser's clock: to refuse, never to write. */
  isNear(instant: string, tolerance: number): boolean {
    return isNearEndorserClock(instant, tolerance);
  }

  /** The request in the transient map. */
  request<T>(parser: Parser<T>): T {
    return this.transient('request', parser, 'invalid-request');
  }

  /** The one event of the transaction; it lies in the block in clear. */
  emit(event: string, payload: JsonObject): void {
    this.stub.setEvent(event, Buffer.from(canonical(payload)));
  }

  private transient<T>(name: string, parser: Parser<T>, absent: 'actor-missing' | 'invalid-request'): T {
    const bytes = this.stub.getTransient().get(name);
    if (bytes === undefined) throw refuseCall(absent, `the transient map has no ${name}`);
    return parseText(parser, Buffer.from(bytes).toString('utf8'), name);
  }
}
