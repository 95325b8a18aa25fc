/** Shipments, their exceptions and regulators' traces over HTTP, under `/supply`. */
import { EXCEPTION_KINDS, RESOLUTIONS } from '@salus/chaincode/supply/api';
import { Router } from 'express';

import { Refusal } from '../../ledger/refusal.js';
import type { Actor } from '../../ports.js';
import { answering, type HttpPorts } from '../http.js';
import { bodyOf, epcsOf, textOf, word } from './asked.js';
import type { ExceptionKind, Exceptions } from './exceptions.js';
import type { ShipmentTerms } from './shipments.js';
import type { KeptTrace, TraceWish } from './trace.js';
import { type TraceBundle, traceWish } from './tracing.js';

const KEEPERS = ['supply-operator', 'pharmacist', 'quality-officer'];
const READERS = [...KEEPERS, 'regulator', 'auditor'];
const TRACE_READERS = ['quality-officer', 'regulator', 'auditor'];

/** What the routes ask. */
export interface ExceptionExpressPorts extends HttpPorts {
  readonly exceptions: Pick<Exceptions, 'list' | 'report' | 'answer' | 'settle'>;
  readonly shipments: () => readonly ShipmentTerms[];
  readonly trace: (actor: Actor, wish: TraceWish) => Promise<TraceBundle>;
  readonly traces: () => readonly KeptTrace[];
  /** The member with this party GLN, in any spelling. */
  readonly memberOf: (party: string) => string | undefined;
}

/** Adds the routes of shipments, exceptions and traces to the router under `/supply`. */
export function exceptionExpress(ports: ExceptionExpressPorts): Router {
  const { exceptions, shipments, memberOf } = ports;
  const router = Router();
  router.get(
    '/shipments',
    answering(ports, READERS, () => Promise.resolve({ shipments: shipments() })),
  );
  router.get(
    '/traces',
    answering(ports, TRACE_READERS, () => Promise.resolve({ traces: ports.traces() })),
  );
  router.post(
    '/traces',
    answering(ports, ['regulator'], async (actor, { body }) => await ports.trace(actor, traceWish(bodyOf(body)))),
  );
  router.get(
    '/exceptions',
    answering(ports, READERS, () => Promise.resolve({ exceptions: exceptions.list() })),
  );
  router.post(
    '/exceptions',
    answering(ports, KEEPERS, async (actor, { body }) => {
      const given = bodyOf(body);
      const kind = word(given, 'kind', EXCEPTION_KINDS) as ExceptionKind;
      const to = memberOf(textOf(given.to, 'to'));
      if (to === undefined) throw new Refusal('invalid', 'invalid-request', 'to is the party GLN of a member');
      const terms = { kind, epcs: epcsOf(given.epcs), note: textOf(given.note ?? '', 'note') };
      return { exceptionId: await exceptions.report(actor, to, terms) };
    }),
  );
  router.post(
    '/exceptions/:id/answer',
    answering(ports, KEEPERS, async (actor, { body, params }) => {
      const given = bodyOf(body);
      const answer = word(given, 'answer', ['accepted', 'disputed']);
      return await exceptions.answer(actor, String(params.id), answer, textOf(given.note ?? '', 'note'));
    }),
  );
  router.post(
    '/exceptions/:id/resolution',
    answering(ports, KEEPERS, async (actor, { body, params }) => {
      const resolution = word(bodyOf(body), 'resolution', RESOLUTIONS) as (typeof RESOLUTIONS)[number];
      return await exceptions.settle(actor, String(params.id), resolution);
    }),
  );
  return router;
}
