/** What a lock of a trial's data base is over, which the one who locks it signs. */
import { lockRootOf } from '@salus/chaincode/trial/api';

import type { Ledger } from '../ports.js';
import { linesOf } from './package.js';
import { demandTrial } from './reading.js';

/** The data points that are there now, and what stopped or started the trial last. */
export interface Lockable extends ReturnType<typeof lockRootOf> {
  /** Transaction of the trial's newest status; absent while nothing stopped it yet. */
  readonly after?: string;
}

/** What a lock would be over now. Throws Refusal. */
export async function lockable(ports: { readonly ledger: Pick<Ledger, 'evaluate'> }, trial: string): Promise<Lockable> {
  const view = await demandTrial(ports, trial);
  const lines = await linesOf(ports.ledger, view);
  const found = lockRootOf(lines.flatMap(([, line]) => line.points));
  return { ...found, ...(view.status && { after: view.status.tx }) };
}

/** The same as the answer of `$lock`. */
export function lockedParameters({ root, points, acts, after }: Lockable): readonly object[] {
  return [
    { name: 'root', valueString: root },
    { name: 'points', valueInteger: points },
    { name: 'acts', valueInteger: acts },
    ...(after === undefined ? [] : [{ name: 'after', valueString: after }]),
  ];
}
