import type { Topology } from '../../topology.js';

/** What would make the embedded ledger stand where only Fabric may. */
export interface StartConditions {
  readonly topology: Topology;
  /** NODE_ENV of the process. */
  readonly nodeEnvironment: string | undefined;
}

/** Throws when the embedded ledger must not start: it gives no trust between members. */
export function assertDevelopment({ topology, nodeEnvironment }: StartConditions): void {
  if (topology.production) {
    throw new Error(
      `${topology.file} says production: true; the embedded ledger is for development: use --engine fabric`,
    );
  }
  if (nodeEnvironment === 'production') {
    throw new Error('NODE_ENV is production; the embedded ledger is for development: use --engine fabric');
  }
}
