/** One scan, answered: genuine, whose, where, dispensable; in the words of VRS and of EMVS. Pure. */
import { commitmentOf, type Item, type StatusView } from '@salus/chaincode/supply/api';

import type { LotTerms } from './stored.js';

/** What was read from a pack. */
export interface Scan {
  readonly gtin: string;
  readonly serial: string;
  readonly batch?: string | undefined;
  /** YYYY-MM-DD. */
  readonly expiry?: string | undefined;
}

/** What is known of the scanned pack, and who asks. */
export interface Known {
  readonly member: string;
  readonly isPharmacy: boolean;
  /** FHIR instant. */
  readonly now: string;
  /** Whether a member holds the company prefix. */
  readonly isLicensed: boolean;
  /** The issuer's terms, and the pack as the ledger has it; absent where nobody committed it. */
  readonly terms?: LotTerms | undefined;
  readonly status?: StatusView | undefined;
  /** Opens the pack if it is the asking member's, or on its way to it. */
  readonly salts: readonly string[];
}

/** GS1 Lightweight Messaging Standard for DSCSA Verification of Product Identifiers 1.3: why a pack is not verified. */
export type FailureReason =
  | 'No_match_GTIN_Serial'
  | 'No_match_GTIN_Serial_Lot_Expiry'
  | 'No_match_GTIN_Serial_Lot'
  | 'No_match_GTIN_Serial_Expiry';

/** The answer to one scan. */
export interface Verdict {
  readonly verified: boolean;
  readonly verificationFailureReason?: FailureReason;
  /** What else the standard lets a responder say. */
  readonly additionalInfo?: 'Recalled' | 'Expired' | 'Suspect';
  /** Return code of a national verification system (EU FMD). */
  readonly emvsCode: string;
  readonly whose: 'yours' | 'the issuer’s' | 'another member’s' | 'unknown';
  readonly where:
    'in stock' | 'on its way to you' | 'on its way' | 'returned' | 'dispensed' | 'decommissioned' | 'unknown';
  readonly dispensable: boolean;
  /** Why it may not be dispensed here. */
  readonly because?: string;
}

/** The answer to a scan. */
export function judge(scan: Scan, known: Known): Verdict {
  const item = known.status?.item ?? undefined;
  const { terms } = known;
  if (item === undefined || terms === undefined) {
    return unknown('No_match_GTIN_Serial', known.isLicensed ? 'NMVS_NC_PC_02' : 'NMVS_NC_PC_01');
  }
  return mismatch(scan, terms) ?? standing(item, terms, known);
}

function mismatch({ batch, expiry }: Scan, terms: LotTerms): Verdict | undefined {
  const isOtherBatch = batch !== undefined && batch !== terms.batch;
  const isOtherExpiry = expiry !== undefined && expiry !== terms.expiry;
  if (isOtherBatch) {
    const reason = isOtherExpiry ? 'No_match_GTIN_Serial_Lot_Expiry' : 'No_match_GTIN_Serial_Lot';
    return unknown(reason, 'NMVS_FE_LOT_13');
  }
  return isOtherExpiry ? unknown('No_match_GTIN_Serial_Expiry', 'NMVS_FE_LOT_12') : undefined;
}

function unknown(verificationFailureReason: FailureReason, emvsCode: string): Verdict {
  const because = 'it is not what its issuer committed: keep it apart';
  const nowhere = { whose: 'unknown', where: 'unknown', dispensable: false, because } as const;
  return { verified: false, verificationFailureReason, emvsCode, ...nowhere };
}

function standing(item: Item, terms: LotTerms, known: Known): Verdict {
  const isEnded = item.state === 'dispensed' || item.state === 'decommissioned';
  const whose = whoseOf(item, terms, known);
  const info = infoOf(terms, known);
  const because = obstacle(item, whose, info, known);
  return {
    verified: true,
    ...(info === undefined ? {} : { additionalInfo: info }),
    emvsCode: isEnded ? 'NMVS_NC_PCK_22' : 'NMVS_SUCCESS',
    whose,
    where: whereOf(item, known),
    dispensable: because === undefined,
    ...(because === undefined ? {} : { because }),
  };
}

function infoOf({ expiry }: LotTerms, { status, now }: Known): Verdict['additionalInfo'] {
  if (status?.recall != null) return 'Recalled';
  if (expiry < now.slice(0, 10)) return 'Expired';
  return status?.quarantine == null ? undefined : 'Suspect';
}

/** Owners are commitments: only the own, and a pack nobody acted on yet, can be told. */
function whoseOf({ owner }: Item, { issuer }: LotTerms, { member, salts }: Known): Verdict['whose'] {
  if (salts.some((salt) => commitmentOf(member, salt) === owner)) return 'yours';
  if (owner !== commitmentOf(issuer, '')) return 'another member’s';
  return issuer === member ? 'yours' : 'the issuer’s';
}

function whereOf({ state, shipment }: Item, { member, salts }: Known): Verdict['where'] {
  switch (state) {
    case 'active':
      return 'in stock';
    case 'in-transit':
      return salts.some((salt) => commitmentOf(member, salt) === shipment?.receiver)
        ? 'on its way to you'
        : 'on its way';
    default:
      return state;
  }
}

function obstacle(
  { state }: Item,
  whose: Verdict['whose'],
  info: Verdict['additionalInfo'],
  { isPharmacy }: Known,
): string | undefined {
  if (state === 'dispensed') return 'it was dispensed: it must not be here';
  if (state === 'decommissioned') return 'it left the supply chain: it must not be here';
  if (info !== undefined) return { Recalled: 'recalled', Expired: 'expired', Suspect: 'in quarantine' }[info];
  if (state !== 'active') return 'receive it first, and verify a return';
  if (whose !== 'yours') return 'it is not yours';
  return isPharmacy ? undefined : 'only a hospital or pharmacy dispenses';
}
