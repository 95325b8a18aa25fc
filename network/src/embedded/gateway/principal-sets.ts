import { common } from '@hyperledger/fabric-protos';

/** How many endorsers of each principal are needed: msp.MSPPrincipal in base64 -> number. */
export type PrincipalSet = ReadonlyMap<string, number>;

/** Alternatives computed for one policy, at most; a policy with more is refused rather than cut short. */
export const MAX_ALTERNATIVES = 20_000;

/** The ways to satisfy a common.SignaturePolicyEnvelope, none of them containing another. */
export function principalSets(envelope: common.SignaturePolicyEnvelope): PrincipalSet[] {
  const principals = envelope
    .getIdentitiesList()
    .map((principal) => Buffer.from(principal.serializeBinary()).toString('base64'));
  const rule = envelope.getRule();
  return rule ? minimal(satisfying(rule, principals)) : [];
}

/** The ways to satisfy both policies at once: an endorsement counts for each of them. */
export function mergeSets(left: readonly PrincipalSet[], right: readonly PrincipalSet[]): PrincipalSet[] {
  return minimal(left.flatMap((one) => right.map((other) => combine(one, other, Math.max))));
}

/** Endorsements a set asks for. */
export function sizeOf(set: PrincipalSet): number {
  return [...set.values()].reduce((total, count) => total + count, 0);
}

function satisfying(rule: common.SignaturePolicy, principals: readonly string[]): PrincipalSet[] {
  const nOutOf = rule.getNOutOf();
  if (!nOutOf) {
    const principal = principals[rule.getSignedBy()];
    return principal === undefined ? [] : [new Map([[principal, 1]])];
  }
  const alternatives = nOutOf.getRulesList().map((part) => satisfying(part, principals));
  return choose(alternatives, nOutOf.getN());
}

/** Every way to satisfy n of the rules. Within one policy each endorsement counts once, so counts add up. */
function choose(rules: readonly (readonly PrincipalSet[])[], n: number): PrincipalSet[] {
  // chosen[k]: the ways found so far to satisfy k of the rules seen.
  const chosen: PrincipalSet[][] = [[new Map()], ...Array.from({ length: n }, () => [])];
  for (const alternatives of rules) {
    for (let count = n; count > 0; count--) {
      const extended = (chosen[count - 1] ?? []).flatMap((set) =>
        alternatives.map((added) => combine(set, added, sum)),
      );
      chosen[count]?.push(...extended);
      if ((chosen[count]?.length ?? 0) > MAX_ALTERNATIVES) {
        throw new Error(
          `endorsement policy has more than ${MAX_ALTERNATIVES} alternatives: name the endorsing organisations`,
        );
      }
    }
  }
  return chosen[n] ?? [];
}

function sum(one: number, other: number): number {
  return one + other;
}

function combine(one: PrincipalSet, other: PrincipalSet, join: (a: number, b: number) => number): PrincipalSet {
  const combined = new Map(one);
  for (const [principal, count] of other) combined.set(principal, join(combined.get(principal) ?? 0, count));
  return combined;
}

/** The sets that contain no other one. */
function minimal(sets: readonly PrincipalSet[]): PrincipalSet[] {
  const bySize = [...sets].sort((one, other) => sizeOf(one) - sizeOf(other));
  const kept: PrincipalSet[] = [];
  for (const set of bySize) {
    if (!kept.some((smaller) => contains(set, smaller))) kept.push(set);
  }
  return kept;
}

function contains(set: PrincipalSet, part: PrincipalSet): boolean {
  return [...part].every(([principal, count]) => (set.get(principal) ?? 0) >= count);
}
