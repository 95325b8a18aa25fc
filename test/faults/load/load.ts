/** The load of a run: clients of every kind, writing and reading until they are told to stop. */
import type { History } from '../judge/history.js';
import type { Members } from '../members.js';
import { captures } from './captures.js';
import { Chart } from './clinical.js';
import { ISSUER } from './marks.js';
import { Reader } from './reader.js';
import { type Source, Writer } from './writer.js';

/** Numbers of one client begin so far after those of the one before. */
const STRIDE = 1_000_000;

/** Clients at work. */
export interface Load {
  readonly writers: readonly Writer[];
  readonly reader: Reader;
  /** Resolves when each client was told what became of its last write, or after so long. */
  stop(patienceMs: number): Promise<void>;
}

/** Starts clients at stmary, northside and acme. */
export async function startLoad(members: Members, history: History): Promise<Load> {
  const chart = (member: string, name: string) => Chart.open(members, history, member, name);
  const [main, bundled, permitting] = [
    await chart('stmary', 'patient-1'),
    await chart('stmary', 'patient-2'),
    await chart('stmary', 'patient-3'),
  ];
  const northern = await chart('northside', 'patient-4');
  const writer = (name: string, member: string, source: Source) => new Writer(members, history, name, member, source);
  const first = writer('observations-stmary', 'stmary', main.observations(STRIDE));
  const writers = [
    first,
    writer('bundles-stmary', 'stmary', bundled.bundles(2 * STRIDE)),
    writer('consents-stmary', 'stmary', permitting.consents(3 * STRIDE)),
    writer('observations-northside', 'northside', northern.observations(4 * STRIDE)),
    writer('captures-acme', ISSUER, captures(members, 5 * STRIDE)),
  ];
  const reader = new Reader(members, history, main, first);
  await reader.start();
  for (const each of writers) each.start();
  return {
    writers,
    reader,
    stop: async (patienceMs) => {
      await Promise.all(writers.map((each) => each.stop(patienceMs)));
      await reader.stop();
    },
  };
}
