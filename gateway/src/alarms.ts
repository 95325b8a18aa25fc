/** What an operator must see at once: in the log, and counted. */
import type { Logger } from 'pino';

import { PurgeWatch } from './erasure/watch.js';
import type { LiveBlocks } from './ledger/live.js';
import type { Meters } from './metrics.js';
import type { Ledger } from './ports.js';
import type { Projection } from './projection/projection.js';
import { readTrial } from './trial/reading.js';
import { watchUnblindings } from './trial/watch.js';

/** What alarms are raised about, and where they are seen. */
export interface AlarmPorts {
  readonly settings: { readonly member: string };
  readonly log: Logger;
  readonly meters: Meters;
  readonly connected: Ledger;
  readonly projection: Projection;
  readonly live: LiveBlocks;
}

/** Raises an alarm. */
export function raise(
  { log, meters }: Pick<AlarmPorts, 'log' | 'meters'>,
  what: string,
  about: Readonly<Record<string, string>>,
): void {
  meters.alarms.inc({ alarm: what });
  log.warn({ alarm: what, ...about }, 'alarm');
}

/** Looks at every block for purges that nobody announced, and for unblindings that this member must hear of. */
export function watchBlocks(ports: AlarmPorts, signal: AbortSignal): void {
  const purges = new PurgeWatch(ports.projection, (alarm, txId) => {
    raise(ports, alarm, { txId });
  });
  const unblindings = {
    member: ports.settings.member,
    view: (trial: string) => readTrial(ports.connected, trial),
    alarm: (what: string, about: Readonly<Record<string, string>>) => {
      raise(ports, what, about);
    },
    signal,
  };
  ports.live.onBlock((block) => {
    purges.observe(block);
    void watchUnblindings(unblindings, block);
  });
}
