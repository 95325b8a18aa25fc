/** When a record may be erased, and who says so: legal basis against retention law, legal hold, two officers. Pure. */
import { requireOfficer } from '../identity/officers.js';
import { Refusal } from '../ledger/refusal.js';
import type { Actor } from '../ports.js';

/**
 * Legal bases of an erasure (GDPR article 17 (1)), and whether the duty to keep medical records (article 17 (3) (b))
 * stands against it until it ends.
 */
export const bases = {
  'no-longer-needed': { article: '17(1)(a)', isRetained: true },
  'consent-withdrawn': { article: '17(1)(b)', isRetained: true },
  objection: { article: '17(1)(c)', isRetained: true },
  'unlawful-processing': { article: '17(1)(d)', isRetained: false },
  'legal-obligation': { article: '17(1)(e)', isRetained: false },
} as const;

/** One of `bases`. */
export type Basis = keyof typeof bases;

/** Roles that ask for an erasure, approve it, and set or lift a legal hold. */
export const officers: readonly string[] = ['privacy-officer', 'admin'];

/** Years a record is kept after its last entry. */
const RETENTION_YEARS = 10;

/** Days within which a second officer must approve; then the request is void. */
export const APPROVAL_DAYS = 7;

const DAY_MS = 86_400_000;

/** Who did something of an erasure, and when. */
export interface Act {
  readonly user: string;
  readonly role: string;
  /** FHIR instant. */
  readonly at: string;
}

/** A request of an officer's to erase a record. */
export interface EraseWish {
  readonly actor: Actor;
  readonly basis: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** What stands for or against it. */
export interface Standing {
  /** Milliseconds since 1970: newest entry of the record. */
  readonly lastEntry: number;
  readonly isHeld: boolean;
  /**
   * Milliseconds since 1970 until when data of clinical trials that the patient took part in is kept; Infinity while one
   * goes on, absent where there is none.
   */
  readonly trialsUntil?: number | undefined;
}

/** The wish's basis. Throws Refusal for what must not be erased, in order of precedence. */
export function erasable({ actor, basis, now }: EraseWish, { lastEntry, isHeld, trialsUntil }: Standing): Basis {
  requireOfficer(actor, officers);
  if (!Object.hasOwn(bases, basis)) {
    throw new Refusal('invalid', 'unprocessable', `Parameters: basis must be one of ${Object.keys(bases).join(', ')}`);
  }
  if (isHeld)
    throw new Refusal('conflict', 'under-legal-hold', 'the record is under a legal hold: have it lifted first');
  const known = basis as Basis;
  if (bases[known].isRetained && trialsUntil !== undefined && now < trialsUntil) {
    const detail =
      'on this basis data of a clinical trial is kept until 25 years after its end (EU 536/2014 article 58)';
    throw new Refusal('conflict', 'trial-retention', detail);
  }
  const end = retentionEnd(lastEntry);
  if (bases[known].isRetained && now < end.getTime()) {
    const until = end.toISOString().slice(0, 10);
    throw new Refusal('conflict', 'retention-not-ended', `on this basis the record must be kept until ${until}`);
  }
  return known;
}

/** Throws Refusal unless another person approves what was asked for, on the same basis. */
export function approvable(asked: { readonly by: Act; readonly basis: string }, { actor, basis }: EraseWish): void {
  if (actor.user === asked.by.user) {
    throw new Refusal('forbidden', 'same-officer', 'another officer than the one who asked must approve');
  }
  if (basis !== asked.basis) {
    throw new Refusal(
      'conflict',
      'other-basis',
      `the erasure was asked for on the basis ${asked.basis}: name the same`,
    );
  }
}

/** Whether a request waited too long for its approval. */
export function isVoid(asked: Act, now: number): boolean {
  return now > Date.parse(asked.at) + APPROVAL_DAYS * DAY_MS;
}

function retentionEnd(lastEntry: number): Date {
  const end = new Date(lastEntry);
  end.setUTCFullYear(end.getUTCFullYear() + RETENTION_YEARS);
  return end;
}
