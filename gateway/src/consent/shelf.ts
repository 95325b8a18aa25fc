/** A patient's consents as this member's own projection holds them. */
import type { StoredConsent } from '@salus/chaincode/consent/api';

import type { Facts } from '../patient/lookup.js';
import type { Fact } from '../projection/asked.js';
import { comparePlaces } from '../projection/place.js';
import { consentKey, CONSENT_SPACE, COUNTED_SPACE, DENIAL_SPACE, EVER, type ProjectedConsent } from './project.js';

/** Parsed consents kept in memory, by pid. */
const MAX_CACHED = 5_000;

/** Every version of every consent of a patient that the projection holds, with all that was ever said of each. */
export class ConsentShelf {
  readonly #cache = new Map<
    string,
    { readonly rows: readonly Fact[]; readonly versions: readonly ProjectedConsent[] }
  >();

  constructor(private readonly facts: Facts) {}

  /** All of a patient's, whatever their state, the highest version of each consent first; the same array while nothing is new. */
  versions(pid: string): readonly ProjectedConsent[] {
    const rows = this.facts.facts(CONSENT_SPACE, `${pid}/`);
    const cached = this.#cache.get(pid);
    if (cached !== undefined && areEqual(cached.rows, rows)) return cached.versions;
    const versions = newestFirst(rows.map(({ value }) => JSON.parse(value) as ProjectedConsent));
    if (this.#cache.size >= MAX_CACHED) this.#cache.clear();
    this.#cache.set(pid, { rows, versions });
    return versions;
  }

  /** One version, as it was said first. */
  version(pid: string, consentId: string, version: number): ProjectedConsent | undefined {
    return this.versions(pid).find(({ record }) => record.consentId === consentId && record.version === version);
  }

  /** One consent, newest version. */
  one(pid: string, consentId: string): ProjectedConsent | undefined {
    const rows = this.facts.facts(CONSENT_SPACE, consentKey(pid, consentId));
    return newestFirst(rows.map(({ value }) => JSON.parse(value) as ProjectedConsent))[0];
  }

  /** The newest version of each of a patient's consents that is active, replaced or not. */
  active(pid: string): readonly StoredConsent[] {
    const newest = new Map(inBlockOrder(this.versions(pid)).map((record) => [record.consentId, record]));
    return [...newest.values()].filter(({ status }) => status === 'active');
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

function areEqual(one: readonly Fact[], other: readonly Fact[]): boolean {
  if (one === other) return true;
  return one.length === other.length && one.every(({ value }, at) => value === other[at]?.value);
}

/** What versions say, as the ledger took it: of a version that was written again what was said first. */
export function inBlockOrder(versions: readonly ProjectedConsent[]): readonly StoredConsent[] {
  const first = new Set<string>();
  return [...versions]
    .sort((a, b) => comparePlaces(a.place, b.place))
    .map(({ record }) => record)
    .filter(({ consentId, version }) => first.size !== first.add(`${consentId}/${version}`).size);
}

/** By version, the highest first; of one version what was said first. */
function newestFirst(versions: readonly ProjectedConsent[]): readonly ProjectedConsent[] {
  return [...versions].sort((a, b) => b.record.version - a.record.version || comparePlaces(a.place, b.place));
}
