/** The alerts on the ledger, with the share of false ones: systems of the EU's kind are judged by it. Pure but for the shelf. */
import type { Alert } from '@salus/chaincode/supply/api';

import { PUBLIC_SPACE } from '../project.js';
import type { PackShelf, ShelfPorts } from '../packs/shelf.js';

/** An alert, with what is printed on its pack where that is known here. */
export interface ShownAlert extends Alert {
  readonly epc?: string;
}

/** All alerts, newest first, and how many of those that were looked into were false. */
export interface Alerts {
  readonly alerts: readonly ShownAlert[];
  readonly open: number;
  readonly closed: number;
  /** Share of false alarms among the closed ones, 0 to 1; absent while none is closed. */
  readonly falseAlarmRate?: number;
}

/** Reads the alerts that this member's projection has seen. */
export function alertsOf(facts: ShelfPorts['projection'], shelf: Pick<PackShelf, 'printed'>): Alerts {
  const all = facts.facts(PUBLIC_SPACE, 'alert/').map(({ value }) => JSON.parse(value) as Alert);
  const printed = shelf.printed(new Set(all.map(({ item }) => item)));
  const falseOnes = all.filter(({ state }) => state === 'false-alarm').length;
  const closed = falseOnes + all.filter(({ state }) => state === 'confirmed').length;
  return {
    alerts: all.map((alert) => withEpc(alert, printed.get(alert.item))).sort((a, b) => (a.raised < b.raised ? 1 : -1)),
    open: all.length - closed,
    closed,
    ...(closed === 0 ? {} : { falseAlarmRate: falseOnes / closed }),
  };
}

function withEpc(alert: Alert, epc: string | undefined): ShownAlert {
  return epc === undefined ? alert : { ...alert, epc };
}
