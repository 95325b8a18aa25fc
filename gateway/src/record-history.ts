/** What the ledger says of one resource's versions, for whoever may see the resource. */
import type { Request } from 'express';

import type { Sharing } from './door/sharing.js';
import { ledgerHistory, MOST_VERSIONS } from './ledger/history.js';
import type { Inspector } from './ledger/inspector.js';
import type { PagePorts } from './pages/routes.js';
import type { Actor } from './ports.js';
import type { Projection } from './projection/projection.js';

/** Who may see the resource, and what lays a transaction open. */
export interface RecordHistoryPorts {
  readonly projection: Projection;
  readonly sharing: Sharing;
  readonly inspector: Pick<Inspector, 'transaction'>;
  readonly actorOf: (request: Request) => Promise<Actor>;
}

/** Answers `/ledger/history/{Type}/{id}`; undefined for what is absent or must not be seen. Every look is logged. */
export function recordHistory({ projection, sharing, inspector, actorOf }: RecordHistoryPorts): PagePorts['history'] {
  return async (request, type, id) => {
    const actor = await actorOf(request);
    sharing.decision.allow(actor, type, 'history');
    const seen = await sharing.read(actor, `GET /ledger/history/${type}/${id}`, () => {
      const current = projection.current(type, id);
      return Promise.resolve(current && sharing.decision.permit(actor, current, 'history'));
    });
    if (seen === undefined) return undefined;
    const versions = projection.history({ type, id, limit: MOST_VERSIONS }).map(({ stored }) => stored);
    return { type, id, versions: await ledgerHistory(versions, (txId) => inspector.transaction(txId)) };
  };
}
