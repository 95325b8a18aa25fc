/** One scan of a pack or container by whoever holds the scanner: verified, received or dispensed, then as it stands. */
import { Refusal } from '../ledger/refusal.js';
import type { Actor } from '../ports.js';
import { checkDigit } from './gs1/check-digit.js';
import { formatLink } from './gs1/digital-link.js';
import { canonicalEpc } from './gs1/epc.js';
import { readCode } from './gs1/element-string.js';
import { packEpc, packOf } from './packs/identity.js';
import type { PackActs } from './packs/acts.js';
import type { Effect } from './packs/stored.js';
import type { Scan, Verdict } from './packs/verdict.js';
import { placeOf } from './packs/steps.js';

/** What a scan may do. */
export const SCAN_DEEDS = ['verify', 'receive', 'dispense'] as const;
/** One of them. */
export type ScanDeed = (typeof SCAN_DEEDS)[number];

/** Who may do each; what else the contracts say. */
const ROLES: Readonly<Record<ScanDeed, readonly string[]>> = {
  verify: ['supply-operator', 'pharmacist', 'quality-officer', 'carrier', 'regulator', 'auditor'],
  receive: ['supply-operator', 'pharmacist'],
  dispense: ['pharmacist'],
};

/** What was scanned, and what is to be done with it. */
export interface ScanWish {
  /** As a scanner reads it, an EPC URN or a GS1 Digital Link. */
  readonly code: string;
  readonly deed: ScanDeed;
  /** Where it is done. */
  readonly place: string;
}

/** The answer to a scan. */
export interface ScanAnswer {
  /** As printed, canonical. */
  readonly epc: string;
  readonly deed: ScanDeed;
  /** What became of the deed; absent where it was only verified. */
  readonly done?: Omit<Effect, 'event'> | undefined;
  /** How it stands now; of packs alone. */
  readonly verdict?: Verdict | undefined;
}

/** What a scan is answered by. */
export interface ScanPorts {
  readonly acts: Pick<PackActs, 'carry'>;
  readonly verify: (scan: Scan) => Promise<Verdict>;
}

/** Answers a scan. Throws Refusal. */
export async function scanned(ports: ScanPorts, actor: Actor, { code, deed, place }: ScanWish): Promise<ScanAnswer> {
  const roles = ROLES[deed];
  if (!roles.includes(actor.role)) {
    throw new Refusal('forbidden', 'not-your-role', `only these roles may ${deed}: ${roles.join(', ')}`);
  }
  const { epc, scan } = readScan(code);
  const step =
    deed === 'verify' ? undefined : ({ kind: 'act', act: deed, epcs: [epc], place: placeOf(place) } as const);
  const [done] = step === undefined ? [] : await ports.acts.carry(actor, step);
  if (scan === undefined && done === undefined) {
    throw new Refusal('invalid', 'invalid-request', 'a container is received; packs are what is verified');
  }
  return { epc, deed, done, verdict: scan && (await ports.verify(scan)) };
}

function readScan(text: string): { readonly epc: string; readonly scan?: Scan } {
  const code = text.trim();
  const [, sscc] = /^(?:\][A-Za-z]\d)?\(?00\)?(\d{18})$/.exec(code) ?? [];
  if (sscc !== undefined) {
    if (checkDigit(sscc.slice(0, -1)) !== sscc.slice(-1)) {
      throw new Refusal('invalid', 'invalid-request', 'the SSCC has a wrong check digit');
    }
    return { epc: formatLink({ ai: '00', key: sscc }) };
  }
  const epc = canonicalEpc(code);
  const pack = epc === undefined ? undefined : packOf(epc);
  if (epc !== undefined) return { epc, ...(pack === undefined ? {} : { scan: pack }) };
  const read = readCode(code);
  return { epc: packEpc(read.gtin, read.serial), scan: read };
}
