/** What no EPCIS event says, over HTTP under `/supply`: acts, quarantines, authorisations, alerts and their triage, recalls. */
import { transactions } from '@salus/chaincode/supply/api';
import express, { Router } from 'express';

import { actorBytes } from '../../ledger/vouched.js';
import type { Actor, Commit, Ledger } from '../../ports.js';
import { coldExpress, type ColdExpressPorts } from '../cold/express.js';
import { answering } from '../http.js';
import type { PackActs } from '../packs/acts.js';
import type { Label } from '../packs/label.js';
import type { Alerts } from './alerts.js';
import type { Holders, ShownRecall } from './holders.js';
import { exceptionExpress, type ExceptionExpressPorts } from './exception-express.js';
import { askedAct, askedQuarantine, bodyOf, epcOf } from './asked.js';

/** Who handles packs; what each of them may do the contracts say. */
const KEEPERS = ['supply-operator', 'pharmacist', 'quality-officer', 'carrier'];
const READERS = [...KEEPERS, 'regulator', 'auditor'];
const BODY = '640kb';

/** How trade reaches the ledger. */
export interface TradePorts extends ColdExpressPorts, ExceptionExpressPorts {
  readonly ledger: Pick<Ledger, 'submit'>;
  readonly acts: Pick<PackActs, 'carry'>;
  readonly alerts: () => Alerts;
  readonly recalls: () => readonly ShownRecall[];
  readonly label: (epc: string) => Label;
  readonly holders: (lotId: string) => Promise<Holders>;
}

/** The router to put under `/supply`. */
export function tradeExpress(ports: TradePorts): Router {
  const { acts, alerts } = ports;
  const router = Router();
  router.use(express.json({ limit: BODY }));
  router.use(coldExpress(ports));
  router.use(exceptionExpress(ports));
  router.post(
    '/acts',
    answering(ports, KEEPERS, async (actor, { body }) => ({ effects: await acts.carry(actor, askedAct(body)) })),
  );
  router.post(
    '/quarantines',
    answering(ports, [...KEEPERS, 'regulator'], async (actor, { body }) => ({
      effects: await acts.carry(actor, askedQuarantine(body)),
    })),
  );
  router.post(
    '/authorisations',
    answering(ports, ['supply-operator', 'quality-officer'], async (actor, { body }) => {
      const { prefix, member, standing } = bodyOf(body);
      return await submitted(ports, actor, transactions.authorise, { prefix, member, standing });
    }),
  );
  router.get(
    '/alerts',
    answering(ports, READERS, () => Promise.resolve(alerts())),
  );
  router.post(
    '/alerts',
    answering(ports, ['quality-officer', 'regulator'], async (actor, { body }) => {
      const { item, kind, raisedBy, state, grade } = bodyOf(body);
      return await submitted(ports, actor, transactions.resolve, { item, kind, raisedBy, state, grade });
    }),
  );
  router.get(
    '/label',
    answering(ports, KEEPERS, (_actor, { query }) => Promise.resolve().then(() => ports.label(epcOf(query.epc)))),
  );
  router.get(
    '/recalls',
    answering(ports, READERS, () => Promise.resolve({ recalls: ports.recalls() })),
  );
  router.get(
    '/recalls/:lotId/holders',
    answering(ports, ['quality-officer', 'regulator'], (_actor, { params }) => ports.holders(String(params.lotId))),
  );
  return router;
}

async function submitted({ ledger }: TradePorts, actor: Actor, transaction: string, request: object): Promise<Commit> {
  return await ledger.submit({
    transaction,
    argument: JSON.stringify(request),
    transient: { actor: actorBytes(actor) },
  });
}
