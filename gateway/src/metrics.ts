/** What one gateway counts, in Prometheus' form. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

import { certificateEnds } from './certificates.js';
import type { GatewaySettings } from './settings.js';

/** The meters of one app; `registry` renders them. */
export interface Meters {
  readonly registry: Registry;
  readonly requests: Histogram<'method' | 'area' | 'status'>;
  /** Alarms raised, by what happened. */
  readonly alarms: Counter<'alarm'>;
  observeHeight(read: () => { readonly applied: number; readonly channel: number; readonly awaited: number }): void;
  /** Reads the certificates once, as the gateway does that goes on with what it read. */
  observeCertificates(settings: GatewaySettings, now: () => number): void;
}

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
    observeHeight(read) {
      new Gauge({
        name: 'salus_projection_height',
        help: 'Blocks applied to the projection',
        registers: [registry],
        collect() {
          this.set(read().applied);
        },
      });
      new Gauge({
        name: 'salus_channel_height',
        help: 'Blocks the channel is known to have',
        registers: [registry],
        collect() {
          this.set(read().channel);
        },
      });
      new Gauge({
        name: 'salus_projection_awaited_values',
        help: 'Private values of applied blocks that the peer has not delivered; asked for until they come',
        registers: [registry],
        collect() {
          this.set(read().awaited);
        },
      });
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
