/** The cold chain over HTTP, under `/supply`: loggers, raw readings, decisions, and the evidence for them. */
import { Router } from 'express';

import type { Decision } from '@salus/chaincode/supply/api';

import { Refusal } from '../../ledger/refusal.js';
import { answering, type HttpPorts } from '../http.js';
import { bodyOf, epcOf, epcsOf, word } from '../trade/asked.js';
import type { ColdChain } from './cold-chain.js';
import type { Evidence } from './evidence.js';

const LOGGING = ['supply-operator', 'pharmacist', 'quality-officer', 'carrier', 'device-gateway'];
const REGISTRARS = ['supply-operator', 'pharmacist', 'quality-officer', 'carrier', 'admin'];
const DECIDERS = ['quality-officer', 'regulator'];
const READERS = [...DECIDERS, 'auditor'];

/** What the routes ask. */
export interface ColdExpressPorts extends HttpPorts {
  readonly cold: Pick<ColdChain, 'log' | 'decide' | 'register'>;
  readonly evidence: (epc: string) => Promise<Evidence>;
}

/** Adds the routes of the cold chain to the router under `/supply`. */
export function coldExpress(ports: ColdExpressPorts): Router {
  const { cold, evidence } = ports;
  const router = Router();
  router.post(
    '/loggers',
    answering(ports, REGISTRARS, async (actor, { body }) => {
      const { jwk, standing } = bodyOf(body);
      return await cold.register(actor, { jwk, standing });
    }),
  );
  router.post(
    '/readings',
    answering(ports, LOGGING, async (actor, { body }) => {
      const { epcs, signed } = bodyOf(body);
      if (typeof signed !== 'string') throw new Refusal('invalid', 'invalid-request', 'signed is a compact JWS');
      return { effects: await cold.log(actor, { kind: 'climate', epcs: epcsOf(epcs), signed, reports: [] }) };
    }),
  );
  router.post(
    '/decisions',
    answering(ports, DECIDERS, async (actor, { body }) => {
      const given = bodyOf(body);
      const decision = word(given, 'decision', ['release', 'destroy']) as Decision;
      return { effects: await cold.decide(actor, epcsOf(given.epcs), decision) };
    }),
  );
  router.get(
    '/evidence',
    answering(ports, READERS, (_actor, { query }) => evidence(epcOf(query.epc))),
  );
  return router;
}
