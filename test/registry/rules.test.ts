import assert from 'node:assert/strict';
import { majorityOf, type RegistryEntry } from '@salus/chaincode/registry/api';
import { approve, type Standing } from '@salus/chaincode/dist/registry/rules.js';
import fc from 'fast-check';

const mspId = (name: string): string => `${name.toUpperCase()}MSP`;
const names = ['a', 'b', 'c', 'd', 'e'];
const consortium = { kind: 'consortium' as const, members: names.map((name) => ({ name, mspId: mspId(name) })) };
const entryOf = (name: string, gcp: string, replaces?: string): RegistryEntry => ({
  kind: 'member',
  name,
  mspId: mspId(name),
  roles: ['hospital'],
  gcp: [gcp],
  premises: [],
  gatewayUrl: 'https://gateway.example',
  doorUrl: 'https://door.example',
  keys: [],
  doorRoots: [],
  replaces,
});

describe('registry rules', () => {
  it('need more than half', () => {
    assert.deepEqual([1, 2, 3, 4, 5, 7].map(majorityOf), [1, 2, 2, 3, 3, 4]);
  });

  it('put an entry in force with the approval that makes a majority, in whatever order members vote', () => {
    const votes = fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom('9521001', '9521002')), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(votes, (ballots) => {
        const approved = new Map<string, string[]>();
        let inForce: Standing['inForce'];
        for (const [voter, gcp] of ballots) {
          const entry = entryOf('a', gcp);
          const approvedBy = approved.get(gcp) ?? [];
          const result = approve(entry, voter, {
            ...{ consortium: { hash: 'c', entry: consortium }, inForce, approvedBy, others: [] },
          });
          if (result instanceof Error) {
            assert.ok(approvedBy.includes(voter) || inForce !== undefined, result.message);
            continue;
          }
          approved.set(gcp, [...approvedBy, voter]);
          assert.equal(
            result.comesIntoForce,
            inForce === undefined && approvedBy.length + 1 >= majorityOf(names.length),
          );
          if (result.comesIntoForce) inForce = { hash: result.approval.hash, entry };
        }
      }),
    );
  });
});
