/** What one gateway needs for broken glass, put together: its acts, the log for when the ledger is away, both sides of asking. */
import { isLedgerAway } from '../clock/away.js';
import type { TrustedConsents } from '../consent/trusted.js';
import type { SharingPorts } from '../door/sharing-ports.js';
import type { Heard } from '../door/server.js';
import type { Fhir } from '../fhir/request.js';
import type { RemoteReads } from '../access/remote.js';
import type { PatientLookup } from '../patient/lookup.js';
import type { GlassDoorPorts } from './door.js';
import { LateAsking } from './late-asking.js';
import { lateGlassHeard } from './late-door.js';
import { LateLog } from './late-log.js';
import { recordLate } from './late-recording.js';
import { withBreakGlass, type BreakGlassPorts } from './operation.js';
import { withGlassReview } from './review.js';
import { GlassStore, type Glass, type GlassState } from './store.js';

/** How long a ledger that was found away is taken to be, ms: to look may take several times as long. */
const AWAY_MS = 1_000;

/** A gateway's rooms, and what of them knows patients and doors. */
export interface BrokenGlassPorts extends SharingPorts {
  readonly lookup: PatientLookup;
  readonly say: (member: string, path: string, words: object) => Promise<unknown>;
  readonly onMissing: (custodian: string, error: unknown) => void;
  /** FHIR instant. */
  readonly now: () => string;
}

/** Broken glass at one gateway. */
export class BrokenGlass {
  readonly asking: LateAsking;
  readonly #store: GlassStore;
  readonly #log: LateLog;
  /** One look at the ledger serves all who ask meanwhile. */
  #look: Promise<boolean> | undefined;
  #awayUntil = 0;

  constructor(private readonly ports: BrokenGlassPorts) {
    const { settings, keys } = ports;
    const { member, channel } = settings;
    this.#store = new GlassStore(keys);
    this.#log = new LateLog(keys, member);
    this.asking = new LateAsking({ ...ports, member, channel, log: this.#log, isAway: this.#isAway });
  }

  /** Whether this member's own person broke the glass before the patient's record lately. */
  readonly isBroken = (user: string, patient: string): boolean =>
    this.#store.isBroken({ member: this.ports.settings.member, user, patient }, this.ports.clock());

  /** The FHIR interface with breaking the glass, and its review, in front of it. */
  inFrontOf(
    fhir: Fhir,
    looked: Omit<BreakGlassPorts, 'glass' | 'onGlass' | 'remote'>,
    remote: Pick<RemoteReads, 'emergency'>,
  ): Fhir {
    const ports = { ...looked, remote, glass: this.#store, onGlass: this.#onGlass, late: this.#log };
    return withGlassReview(withBreakGlass(fhir, ports), ports);
  }

  /** What the door looks up, keeps and tells. */
  get atDoor(): Pick<GlassDoorPorts, 'glass' | 'onGlass'> & { readonly late: LateLog } {
    return { glass: this.#store, onGlass: this.#onGlass, late: this.#log };
  }

  /** What the door hears while the ledger is away, by path. */
  heard(trusted: Pick<TrustedConsents, 'toOthers'>): Readonly<Record<string, Heard>> {
    const { settings, directory } = this.ports;
    const { member, channel } = settings;
    const own = { ...this.ports, ...this.atDoor, member, channel, trusted, log: this.#log, isAway: this.#isAway };
    return lateGlassHeard({ ...own, findKey: (kid) => directory.ownerOf(kid) });
  }

  /** Brings onto the ledger what was opened while it was away until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { settings, projection } = this.ports;
    const own = { ...this.ports, member: settings.member, log: this.#log, glass: this.#store, isAway: this.#isAway };
    const current = (type: string, id: string) => projection.current(type, id);
    const version = (type: string, id: string, number: number) => projection.version(type, id, number);
    await recordLate({ ...own, facts: projection, current, version }, signal);
  }

  /** At once, for the privacy officer: an alarm that names no patient, and the list that does. */
  readonly #onGlass = ({ member, pid }: Glass, state: GlassState): void => {
    const patient = this.ports.keys.hmac('lookup', pid).slice(0, 16);
    this.ports.alarm(state === 'waiting' ? 'glass-beyond-budget' : 'glass-broken', { member, patient });
  };

  readonly #isAway = async (): Promise<boolean> => {
    if (performance.now() < this.#awayUntil) return true;
    this.#look ??= isLedgerAway(this.ports.ledger, this.ports.clock).finally(() => {
      this.#look = undefined;
    });
    const isAway = await this.#look;
    if (isAway) this.#awayUntil = performance.now() + AWAY_MS;
    return isAway;
  };
}
