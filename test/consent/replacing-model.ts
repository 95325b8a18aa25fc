/**
 * Which consents stand, once more and from the specification alone: by looking back, for each consent, for a version of
 * another one that took its place. It keeps no state and shares no code with what it judges.
 */

export interface Said {
  readonly consentId: string;
  readonly version: number;
  readonly status: string;
  readonly consent: {
    readonly identifier?: readonly { readonly system?: string; readonly value?: string }[];
    readonly extension?: readonly { readonly url: string; readonly valueReference: { readonly reference: string } }[];
  };
}

/** Ids of what stands after all that was said, in that order. */
export function standing(said: readonly Said[]): string[] {
  return [...new Set(said.map(({ consentId }) => consentId))].filter((id) => stands(id, said)).sort();
}

function stands(id: string, said: readonly Said[]): boolean {
  return said.findLast(({ consentId }) => consentId === id)?.status === 'active' && !wasReplaced(id, said);
}

function wasReplaced(id: string, said: readonly Said[]): boolean {
  return said.some((each, at) => {
    const before = said.slice(0, at);
    if (each.consentId === id || each.status !== 'active' || wasReplaced(each.consentId, before)) return false;
    const last = before.findLast(({ consentId }) => consentId === id);
    return last !== undefined && stands(id, before) && takesPlaceOf(each, last);
  });
}

function takesPlaceOf({ consent }: Said, other: Said): boolean {
  const text = (consent.extension ?? []).map(({ url, valueReference }) => `${url} ${valueReference.reference}`);
  if (text.includes(`urn:salus:replaces Consent/${other.consentId}`)) return true;
  return (consent.identifier ?? []).some((mine) =>
    (other.consent.identifier ?? []).some(
      (theirs) =>
        mine.system !== undefined &&
        mine.value !== undefined &&
        mine.system === theirs.system &&
        mine.value === theirs.value,
    ),
  );
}
