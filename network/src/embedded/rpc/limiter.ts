import { status } from '@grpc/grpc-js';
import { FabricError } from '../ports.js';

/** Calls in flight at one peer, streams and waiting calls included. */
export const CONCURRENCY = { endorser: 2_500, deliver: 2_500, gateway: 500 } as const;

/** Refuses calls over a service's limit, as Fabric's peers do. */
export class Limiter {
  #inFlight = 0;

  constructor(
    /** Full name of the service, such as gateway.Gateway. */
    private readonly service: string,
    private readonly limit: number,
  ) {}

  /** Runs a call, or throws when as many as permitted are running. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#inFlight >= this.limit) {
      throw new FabricError(
        status.UNKNOWN,
        `too many requests for /${this.service}, exceeding concurrency limit (${this.limit})`,
      );
    }
    this.#inFlight++;
    try {
      return await call();
    } finally {
      this.#inFlight--;
    }
  }
}
