import assert from 'node:assert/strict';

import { decide } from '@salus/chaincode/consent/decide';

import { ask, by, consent, deny, glucose, laboratory, NOW, permit, resource, system } from './world.js';

const north = by.member('northside');

describe('what obliges to pass nothing on', () => {
  const binding = { securityLabel: [{ system: system.sensitivity, code: 'NORDSCLCD' }] };
  const facts = resource(glucose);
  const obliges = (...all: Parameters<typeof consent>[0][]): boolean => {
    const decision = decide(
      ask(),
      facts,
      all.map((provision) => consent(provision)),
      NOW,
    );
    assert.equal(decision.outcome, 'permit');
    return decision.obligations.some(({ kind }) => kind === 'no-redisclosure');
  };

  it('is said by the rule that permits, or by one around it', () => {
    assert.ok(!obliges(deny({ provision: [permit(north)] })));
    assert.ok(obliges(deny({ provision: [permit({ ...north, ...binding })] })));
    assert.ok(obliges(deny({ ...binding, provision: [permit(north)] })));
    assert.ok(obliges(permit({ ...binding, provision: [permit({ ...north, provision: [permit(laboratory)] })] })));
  });

  it('is said by any of several permits, in whatever order', () => {
    const [free, bound] = [permit(north), permit({ ...north, ...binding })];
    assert.ok(obliges(free, bound));
    assert.ok(obliges(bound, free));
    assert.ok(obliges(deny({ provision: [free, bound] })));
    assert.ok(obliges(deny({ provision: [bound, free] })));
  });

  it('is not said by what does not permit', () => {
    const other = permit({ ...by.member('acme'), ...binding });
    assert.ok(!obliges(deny({ provision: [permit(north), other] })));
    assert.ok(!obliges(permit(north), deny({ ...by.member('acme'), ...binding })));
  });
});
