import assert from 'node:assert/strict';
import { common, msp } from '@hyperledger/fabric-protos';
import {
  MAX_ALTERNATIVES,
  mergeSets,
  principalSets,
  type PrincipalSet,
} from '@salus/network/embedded/gateway/principal-sets';

type Rule = number | { n: number; of: Rule[] };

function rule(from: Rule): common.SignaturePolicy {
  const made = new common.SignaturePolicy();
  if (typeof from === 'number') {
    made.setSignedBy(from);
    return made;
  }
  const nOutOf = new common.SignaturePolicy.NOutOf();
  nOutOf.setN(from.n);
  nOutOf.setRulesList(from.of.map(rule));
  made.setNOutOf(nOutOf);
  return made;
}

/** Sets as sorted lists of the principals' names, a name once for each endorsement. */
function ways(sets: readonly PrincipalSet[]): string[] {
  const nameOf = (principal: string): string =>
    String(Buffer.from(msp.MSPPrincipal.deserializeBinary(Buffer.from(principal, 'base64')).getPrincipal_asU8()));
  return sets
    .map((set) =>
      [...set]
        .flatMap(([principal, count]) => Array.from({ length: count }, () => nameOf(principal)))
        .sort()
        .join(''),
    )
    .sort();
}

function sets(from: Rule, names = 'ABCDEFG'): PrincipalSet[] {
  const envelope = new common.SignaturePolicyEnvelope();
  envelope.setRule(rule(from));
  for (const name of names) {
    const principal = new msp.MSPPrincipal();
    principal.setPrincipal(Buffer.from(name));
    envelope.addIdentities(principal);
  }
  return principalSets(envelope);
}

describe('principal sets of a policy', () => {
  it('has one set for each choice of a majority', () => {
    const majority = ways(sets({ n: 4, of: [0, 1, 2, 3, 4, 5, 6] }));
    assert.equal(majority.length, 35);
    assert.equal(new Set(majority).size, 35);
    assert.ok(majority.every((way) => way.length === 4));
  });

  it('counts a principal named twice twice', () => {
    assert.deepEqual(ways(sets({ n: 2, of: [0, 0] })), ['AA']);
  });

  it('drops a set that contains another', () => {
    assert.deepEqual(ways(sets({ n: 1, of: [0, { n: 2, of: [0, 1] }] })), ['A']);
  });

  it('nests', () => {
    const way = ways(sets({ n: 2, of: [0, { n: 1, of: [1, 2] }] }));
    assert.deepEqual(way, ['AB', 'AC']);
  });

  it('merges two policies: one endorsement serves both', () => {
    const merged = mergeSets(sets({ n: 2, of: [0, 1, 2] }), sets(0));
    assert.deepEqual(ways(merged), ['AB', 'AC']);
  });

  it('refuses a policy with too many alternatives', () => {
    const of = Array.from({ length: 20 }, (_, index) => index);
    assert.throws(
      () => sets({ n: 10, of }, 'ABCDEFGHIJKLMNOPQRST'),
      new RegExp(`more than ${MAX_ALTERNATIVES} alternatives`),
    );
  });
});
