/** A patient's consents as this member may count on them, read from its own projection. */
import type { ConsentInForce } from '@salus/chaincode/consent/decide';

import type { Facts } from '../patient/lookup.js';
import { consentKey, CONSENT_SPACE, COUNTED_SPACE, DENIAL_SPACE, EVER, type ProjectedConsent } from './project.js';

/** Parsed consents kept in memory, by pid. */
const MAX_CACHED = 5_000;

/** Every consent of a patient that the projection holds, newest version each. */
export class ConsentShelf {
  readonly #cache = new Map<string, { readonly text: string; readonly consents: readonly ProjectedConsent[] }>();

  constructor(private readonly facts: Facts) {}

  /** All of a patient's consents, whatever their state. */
  of(pid: string): readonly ProjectedConsent[] {
    const rows = this.facts.facts(CONSENT_SPACE, `${pid}/`);
    const text = rows.map(({ value }) => value).join('\n');
    const cached = this.#cache.get(pid);
    if (cached?.text === text) return cached.consents;
    const consents = newest(rows.map(({ value }) => JSON.parse(value) as ProjectedConsent));
    if (this.#cache.size >= MAX_CACHED) this.#cache.clear();
    this.#cache.set(pid, { text, consents });
    return consents;
  }

  /** One consent, newest version. */
  one(pid: string, consentId: string): ProjectedConsent | undefined {
    const rows = this.facts.facts(CONSENT_SPACE, consentKey(pid, consentId));
    return newest(rows.map(({ value }) => JSON.parse(value) as ProjectedConsent))[0];
  }

  /** Whether any version of the consent ever counted at this member. */
  everCounted(pid: string, consentId: string): boolean {
    return this.facts.fact(COUNTED_SPACE, consentKey(pid, consentId)) !== undefined;
  }

  /** Whether any patient's consent ever denied anything. */
  get deniesAnything(): boolean {
    return this.facts.fact(DENIAL_SPACE, EVER) !== undefined;
  }
}

/** The highest version of each consent. */
function newest(versions: readonly ProjectedConsent[]): readonly ProjectedConsent[] {
  const byId = new Map<string, ProjectedConsent>();
  for (const each of versions) {
    const known = byId.get(each.record.consentId);
    if (known === undefined || known.record.version < each.record.version) byId.set(each.record.consentId, each);
  }
  return [...byId.values()];
}

/** The consents in force at a custodian, as `decide` takes them. */
export function inForceAt(custodian: string, consents: readonly ProjectedConsent[]): readonly ConsentInForce[] {
  return consents
    .filter(({ record }) => record.status === 'active' && record.countsAt.includes(custodian))
    .map(({ record }) => ({
      id: record.consentId,
      version: record.version,
      care: record.consent as unknown as ConsentInForce['care'],
    }));
}
