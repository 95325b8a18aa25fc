/** What the ledger and the read logs say of one record, for whoever may see it: the pages' way to both. */
import type { Request } from 'express';

import type { Sharing } from './door/sharing.js';
import type { FhirRequest, FhirResponse } from './fhir/request.js';
import { authenticate, type TokenRules } from './identity/tokens.js';
import { ledgerHistory, MOST_VERSIONS } from './ledger/history.js';
import type { Inspector } from './ledger/inspector.js';
import type { AskList } from './pages/record.js';
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

/** Asks for a patient's list as whoever a token stands for, by the FHIR interface: what it decides and logs holds here. */
export function recordAudit(fhir: (request: FhirRequest) => Promise<FhirResponse>, tokens: TokenRules): AskList {
  return async (token, query) => {
    const actor = await authenticate(`Bearer ${token}`, undefined, tokens);
    return await fhir({ actor, method: 'GET', path: 'AuditEvent', query, headers: {} });
  };
}
