import assert from 'node:assert/strict';

import { salus } from '../support/command.js';
import { networkOfSuite } from '../support/network.js';

describe('the demo of a trial', () => {
  const network = networkOfSuite();

  it("takes a two-site study from registration to the reviewer's page, and the outcome switch is caught", async function () {
    this.timeout(240_000);
    const { code, out: text, err } = await salus(network.stateDir, ['demo', 'trial']);
    assert.equal(code, 0, err);
    assert.match(text, /wants to start before anybody approved\n {2}refused \(not-approved/);
    assert.equal(text.match(/kit K[0-9a-f]{12}, no arm/g)?.length, 8);
    assert.match(text, /wants to correct the site's data\n {2}refused \(not-your-role/);
    assert.match(text, /acme \(sponsor\) wants to know the arm of slot 1\n {2}refused \(not-your-role/);
    assert.match(text, /who signed for it opens the answer: (tablet|placebo)\n/);
    assert.match(text, /without a word\n {2}refused \(amendment-without-reason/);
    assert.match(text, /version 2 against first-enrolment: death demoted\n {2}version 2 .*: pressure promoted/);
    assert.match(text, /puts it in force all the same\n {2}refused \(not-approved/);
    assert.match(text, /with one arm bent\n {2}refused \(reveal-mismatch/);
    assert.match(text, /published: death not-reported\n {2}published: pressure changed, promoted/);
    assert.match(text, /site-2: list as committed, 4 enrolled, 0 slots lost or doubled, (tablet|placebo) 2/);
    const name = /trial (DEMO-\d+)/.exec(text)?.[1] ?? '';
    const page = await network.ask('medisure', `/trials/${name}`, { headers: { accept: 'text/html' } });
    assert.match(page.text, /<strong>demoted<\/strong>/);
    assert.match(page.text, /<strong>not-reported<\/strong>/);
  });
});
