import { readFileSync } from 'node:fs';
import type { FaultyConsortium } from './consortium.js';

/** What the processes have in memory at this moment, by kind. */
export function residentMiB(consortium: FaultyConsortium): string {
  const { nodes, gateways } = consortium;
  const kinds = new Map<string, { count: number; kib: number }>();
  for (const name of [...nodes.pids.keys(), ...gateways.keys()]) {
    const kind = name.replace(/\d*\..*/, '');
    const status = readFileSync(`/proc/${consortium.pid(name)}/status`, 'utf8');
    const { count, kib } = kinds.get(kind) ?? { count: 0, kib: 0 };
    kinds.set(kind, { count: count + 1, kib: kib + Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) });
  }
  const parts = [...kinds].map(([kind, { count, kib }]) => `${count} ${kind}s ${Math.round(kib / 1024)} MiB`);
  const sum = [...kinds.values()].reduce((total, { kib }) => total + kib, 0);
  return `resident under load: ${parts.join(', ')}; ${Math.round(sum / 1024)} MiB in all`;
}
