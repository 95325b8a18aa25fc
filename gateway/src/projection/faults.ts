/** What of the ledger the projection cannot read or index: it goes on without, and an operator is told. */
import { versionKey } from '@salus/chaincode/ehr/api';

import type { Statements } from './statements.js';

/** `unreadable`: no resource can be made of the value, nobody sees it; `unindexed`: searches do not find all of it. */
export type FaultKind = 'unreadable' | 'unindexed';

/** A value that was met, and where: nothing of its content. */
export interface Fault {
  readonly kind: FaultKind;
  readonly txId: string;
  readonly block: number;
}

/** How many there are: unreadable ones until they are purged, unindexed ones as long as they are in force. */
export type FaultCounts = Readonly<Record<FaultKind, number>>;

/** The faults of one projection, by ledger key; it works inside its caller's database transaction. */
export class Faults {
  constructor(
    private readonly statements: Statements,
    /** Told of each when it is met, again where its block is. */
    private readonly onFault: (fault: Fault) => void = () => undefined,
  ) {}

  keep(ledgerKey: string, fault: Fault): void {
    const { kind, block } = fault;
    this.statements.run('INSERT OR REPLACE INTO fault VALUES (?, ?, ?)', ledgerKey, kind, block);
    this.onFault(fault);
  }

  /**
   * The number of a resource's next version, given the code in its ledger keys: the one asked for, or the first after it
   * whose place no unreadable value has taken. Such a value is no version, but the ledger takes no other in its place.
   */
  freeVersion(code: string, version: number): number {
    let free = version;
    while (this.isUnreadable(versionKey(code, free))) free += 1;
    return free;
  }

  private isUnreadable(ledgerKey: string): boolean {
    const sql = "SELECT 1 FROM fault WHERE ledger_key = ? AND kind = 'unreadable'";
    return this.statements.get(sql, ledgerKey) !== undefined;
  }

  /** What lay under the key is gone. */
  forget(ledgerKey: string): void {
    this.statements.run('DELETE FROM fault WHERE ledger_key = ?', ledgerKey);
  }

  /** Another version comes into force in place of the resource's current one. */
  replaced(rid: number): void {
    this.statements.run(
      `DELETE FROM fault WHERE kind = 'unindexed' AND ledger_key =
         (SELECT v.ledger_key FROM resource r JOIN version v ON v.vid = r.vid WHERE r.rid = ?)`,
      rid,
    );
  }

  /** Before the index is derived anew. */
  clearIndexed(): void {
    this.statements.run("DELETE FROM fault WHERE kind = 'unindexed'");
  }

  get counts(): FaultCounts {
    const counts = { unreadable: 0, unindexed: 0 };
    for (const { kind, n } of this.statements.all('SELECT kind, count(*) AS n FROM fault GROUP BY kind')) {
      counts[kind as FaultKind] = n as number;
    }
    return counts;
  }
}
