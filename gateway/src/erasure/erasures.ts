/** Puts together what one gateway knows and does about erasures. */
import { caughtUp } from '../fhir/context.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import { fhirBase } from '../identity/issuer.js';
import type { KeyStore } from '../keys/key-store.js';
import type { Ledger, RecordWriter } from '../ports.js';
import type { Projection } from '../projection/projection.js';
import type { GatewaySettings } from '../settings.js';
import { trialsKeptUntil } from '../trial/retention.js';
import { withErasure } from './operation.js';
import { ErasureSeries, type SeriesPorts } from './series.js';
import { ErasureStore } from './store.js';

/** The rooms of a gateway that erasing a record goes through. */
export interface ErasuresPorts extends Pick<SeriesPorts, 'recent' | 'settled' | 'forget' | 'signingKey' | 'onFailure'> {
  readonly settings: GatewaySettings;
  readonly ledger: Pick<Ledger, 'submit' | 'evaluate'>;
  readonly keys: KeyStore;
  readonly projection: Projection;
  readonly writer: RecordWriter;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** One gateway's erasures; what was approved before is closed on return. */
export class Erasures {
  readonly series: ErasureSeries;
  readonly #store: ErasureStore;

  constructor(private readonly ports: ErasuresPorts) {
    const { settings, keys, clock } = ports;
    this.#store = new ErasureStore(keys);
    this.series = new ErasureSeries({
      ...ports,
      member: settings.member,
      mspId: settings.mspId,
      channel: settings.channel,
      store: this.#store,
      now: () => new Date(clock()).toISOString(),
    });
    this.series.close();
  }

  /** The FHIR interface with the operations of erasure in front of it. */
  inFrontOf(fhir: (request: FhirRequest) => Promise<FhirResponse>, shown: (patient: string) => void) {
    const { settings, ledger, projection, writer, clock } = this.ports;
    return withErasure(fhir, {
      baseUrl: fhirBase(settings.baseUrl),
      store: this.#store,
      holds: this.#store,
      series: this.series,
      writer,
      current: (type, id) => projection.current(type, id),
      reached: (block) => caughtUp({ projection }, block),
      lastEntry: (patient) => projection.lastEntry(patient),
      trialsUntil: (patient) => trialsKeptUntil({ ledger, facts: projection }, patient),
      shown,
      clock,
    });
  }
}
