/** Verification of a pack over HTTP, after the GS1 Lightweight Messaging Standard for DSCSA verification. */
import { type Request, Router } from 'express';

import { Refusal } from '../../ledger/refusal.js';
import { answering, type HttpPorts } from '../http.js';
import { hasCheckDigit } from '../gs1/check-digit.js';
import { dayOf } from '../gs1/day.js';
import { readCode } from '../gs1/element-string.js';
import type { Scan, Verdict } from './verdict.js';

/** Who may verify. */
const ROLES = ['supply-operator', 'pharmacist', 'quality-officer', 'carrier', 'regulator', 'auditor'];

/** Who asks, who answers, and what verifies a scan. */
export interface VerifyPorts extends HttpPorts {
  readonly verify: (scan: Scan) => Promise<Verdict>;
  /** FHIR instant. */
  readonly now: () => string;
  /** Party GLN of the member that answers, 13 digits; empty where it has none. */
  readonly responderGLN: string;
}

/** The router to put under `/verify`: `gtin/{gtin}/lot/{lot}/ser/{serial}?exp=YYMMDD`, or `scan?code=` as a scanner reads it. */
export function verifyExpress(ports: VerifyPorts): Router {
  const router = Router();
  const handle = answering(ports, ROLES, async (_actor, request) =>
    answer(ports, await ports.verify(scanOf(request)), request.query.corrUUID),
  );
  const scanned = answering(ports, ROLES, async (_actor, { query }) => {
    const scan = readCode(typeof query.code === 'string' ? query.code : '');
    return { ...answer(ports, await ports.verify(scan), query.corrUUID), read: scan };
  });
  router.get('/scan', scanned);
  router.get('/gtin/:gtin/lot/:lot/ser/:serial', handle);
  return router;
}

function answer({ now, responderGLN }: VerifyPorts, verdict: Verdict, corrUUID: unknown): object {
  const { verified, verificationFailureReason, additionalInfo, ...more } = verdict;
  const data = { verified, verificationFailureReason, additionalInfo };
  const correlation = typeof corrUUID === 'string' && /^[0-9a-fA-F-]{36}$/.test(corrUUID) ? { corrUUID } : {};
  return { timestamp: now(), responderGLN, data, ...correlation, ...more };
}

function scanOf({ params, query }: Request): Scan {
  const { gtin = '', lot = '', serial = '' } = params as Readonly<Record<string, string>>;
  if (!/^\d{14}$/.test(gtin) || !hasCheckDigit(gtin)) throw bad('gtin must be 14 digits with a right check digit');
  if (!isCode(serial) || !isCode(lot)) throw bad('lot and serial are 1 to 20 characters');
  return { gtin, serial, batch: lot, expiry: typeof query.exp === 'string' ? expiryOf(query.exp) : undefined };
}

function expiryOf(text: string): string {
  const day = dayOf(text);
  if (day === undefined) throw bad('exp must be YYMMDD');
  return day;
}

function isCode(text: string): boolean {
  return text.length >= 1 && text.length <= 20;
}

function bad(detail: string): Refusal {
  return new Refusal('invalid', 'invalid-request', detail);
}
