/** What the EPCIS endpoints work with. */
import { merklePath } from '@salus/chaincode/supply/api';

import type { Destinations } from '../../delivery/destinations.js';
import type { PrefixLength } from '../gs1/epc.js';
import type { Carry } from '../packs/carry.js';
import type { PendingWork } from '../../keys/pending-work.js';
import { Capturing } from './capture.js';
import { Pages } from './paging.js';
import type { EventRepository } from './repository.js';
import { leafOf, type ReadableEvent } from './stored.js';
import { Subscriptions } from './subscriptions.js';

/** What the endpoints share: the member's events and what carries them to the ledger. */
export interface DeskPorts {
  readonly repository: EventRepository;
  /** What captured events do on the ledger. */
  readonly carry: Carry;
  /** What was promised and is not done yet. */
  readonly pending: Pick<PendingWork, 'keep' | 'drop' | 'list'>;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Where webhooks may be. */
  readonly destinations: Destinations;
  /** Lengths of the company prefixes known to the consortium. */
  readonly prefixLength: PrefixLength;
}

/** One member's events and what goes on with them. */
export class EpcisDesk {
  readonly repository: EventRepository;
  readonly capturing: Capturing;
  readonly pages: Pages;
  readonly subscriptions: Subscriptions;
  readonly prefixLength: PrefixLength;

  constructor(private readonly ports: DeskPorts) {
    this.repository = ports.repository;
    this.prefixLength = ports.prefixLength;
    this.subscriptions = new Subscriptions({ ...ports, now: () => this.now() });
    this.capturing = new Capturing(ports.repository, ports.carry, ports.pending, {
      now: () => this.now(),
      onKept: () => {
        this.subscriptions.wake();
      },
    });
    this.pages = new Pages(ports.clock);
  }

  /** FHIR instant. */
  now(): string {
    return new Date(this.ports.clock()).toISOString();
  }

  /** What proves to anybody, offline, that an event was captured: its hash and salt, its place, and the root on the ledger. */
  proof(event: ReadableEvent): Readonly<Record<string, unknown>> {
    const own = this.repository.ofCapture(event.captureID);
    const index = own.findIndex(({ position }) => position === event.position);
    const { merkleRoot, anchor } = this.repository.job(event.captureID) ?? {};
    const path = merklePath(own.map(leafOf), index).map((each) => each.toString('hex'));
    const { hash, salt } = event;
    return { hash, salt, index, count: own.length, path, merkleRoot, anchor };
  }
}
