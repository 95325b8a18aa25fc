/** What one gateway counts, in Prometheus' form. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

import { certificateEnds } from './certificates.js';
import type { Projection } from './projection/projection.js';
import type { GatewaySettings } from './settings.js';

/** The meters of one app; `registry` renders them. */
export interface Meters {
  readonly registry: Registry;
  readonly requests: Histogram<'method' | 'area' | 'status'>;
  /** Alarms raised, by what happened. */
  readonly alarms: Counter<'alarm'>;
  observeProjection(
    projection: Pick<Projection, 'block' | 'awaited' | 'faults' | 'parameters'>,
    live: { readonly height: number },
    contents: { readonly lost: number },
  ): void;
  /** Reads the certificates once, as the gateway does that goes on with what it read. */
  observeCertificates(settings: GatewaySettings, now: () => number): void;
}

const AWAITED = 'Private values of applied blocks that the peer has not delivered; asked for until they come';
const UNREADABLE = 'Values of the own collection that no gateway can have written, until they are purged';
const UNINDEXED = 'Resources in force that searches do not find by all they hold';

const DERIVING = 'Resources that posted search parameters are still derived for';
const LOST = 'Versions whose content beside the ledger was not there at the last look';

const DAY_MS = 86_400_000;

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Makes the meters of a member's gateway. */
export function makeMeters(member: string, gateway: string): Meters {
  const registry = new Registry();
  registry.setDefaultLabels({ member, gateway });
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    requests: new Histogram({
      name: 'salus_http_request_seconds',
      help: 'Time to answer HTTP requests, by method, area and status',
      labelNames: ['method', 'area', 'status'],
      buckets: SECONDS,
      registers: [registry],
    }),
    alarms: new Counter({
      name: 'salus_alarms_total',
      help: 'Alarms raised, by what happened',
      labelNames: ['alarm'],
      registers: [registry],
    }),
    observeProjection(projection, live, contents) {
      const gauges = [
        { name: 'salus_projection_height', help: 'Blocks applied to the projection', read: () => projection.block + 1 },
        { name: 'salus_channel_height', help: 'Blocks the channel is known to have', read: () => live.height },
        { name: 'salus_projection_awaited_values', help: AWAITED, read: () => projection.awaited },
        { name: 'salus_projection_unreadable_values', help: UNREADABLE, read: () => projection.faults.unreadable },
        { name: 'salus_projection_unindexed_resources', help: UNINDEXED, read: () => projection.faults.unindexed },
        { name: 'salus_projection_deriving_left', help: DERIVING, read: () => projection.parameters.deriving.left },
        { name: 'salus_contents_lost', help: LOST, read: () => contents.lost },
      ];
      for (const { name, help, read } of gauges) {
        new Gauge({
          ...{ name, help, registers: [registry] },
          collect() {
            this.set(read());
          },
        });
      }
    },
    observeCertificates(settings, now) {
      const certificates = certificateEnds(settings);
      new Gauge({
        name: 'salus_certificate_days_left',
        help: 'Days until a certificate that this gateway uses ends, by file and name of its subject',
        labelNames: ['file', 'name'],
        registers: [registry],
        collect() {
          for (const { file, name, endsAt } of certificates) this.set({ file, name }, (endsAt - now()) / DAY_MS);
        },
      });
    },
  };
}
