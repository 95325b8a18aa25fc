import assert from 'node:assert/strict';
import { join } from 'node:path';

import { holders } from '../support/bytes-search.js';
import { eventually } from '../support/eventually.js';
import { type Answer, networkOfSuite } from '../support/network.js';
import { scratchFolder } from '../support/scratch.js';
import { entryOf, NetworkStudy, STUDY, threeHospitals } from './network-study.js';

const CANARY = 'CANARY-TRIAL-128';

describe('the erasure of a record of somebody who takes part in a trial', function () {
  this.timeout(240_000);
  const folder = scratchFolder();
  const network = networkOfSuite({ topologyFile: threeHospitals(folder.path) });
  let study: NetworkStudy;
  let patient: string;
  let screened: string;

  after(() => {
    folder.remove();
  });

  async function erase(id: string, basis: string, user = 'officer-a'): Promise<Answer> {
    const parameter = [
      { name: 'basis', valueCode: basis },
      { name: 'reason', valueString: 'asked for' },
    ];
    const token = await network.token({ member: 'stmary', user, role: 'privacy-officer' });
    return network.ask('stmary', `Patient/${id}/$erase`, { token, body: { resourceType: 'Parameters', parameter } });
  }

  async function contents(member: string, role: string): Promise<string> {
    const token = await network.token({ member, role });
    return (await network.ask(member, `QuestionnaireResponse?study=ResearchStudy/${STUDY}&participant=P1`, { token }))
      .text;
  }

  before(async () => {
    study = new NetworkStudy(network, 8);
    await study.opened();
    patient = await study.prepared('P1', 'stmary');
    screened = await study.patientAt('stmary');
    assert.equal((await study.claim('P2', 'stmary', screened)).status, 200);
    assert.equal((await study.randomize('P1', 'stmary', 's1')).status, 200);
    const entered = await study.post('stmary', 'investigator', '$enter', entryOf('P1', 'vitals', CANARY));
    assert.equal(entered.status, 200, entered.text);
  });

  it('is refused while the data of the trial must be kept; of who never consented, by the rules for any record', async () => {
    for (const basis of ['no-longer-needed', 'consent-withdrawn', 'objection']) {
      const refused = await erase(patient, basis);
      assert.deepEqual([refused.status, /trial-retention/.test(refused.text)], [409, true], refused.text);
      assert.match((await erase(screened, basis)).text, /retention-not-ended/);
    }
  });

  it("takes, where the record should never have been, the site's contents with it; the sponsor keeps a copy of nobody", async () => {
    assert.match(await contents('stmary', 'investigator'), new RegExp(CANARY));
    assert.equal((await erase(patient, 'unlawful-processing')).status, 202);
    const done = await erase(patient, 'unlawful-processing', 'officer-b');
    assert.ok([200, 202].includes(done.status), done.text);
    const left = await contents('stmary', 'investigator');
    assert.ok(!left.includes(CANARY), left);
    assert.match(left, /3 contents of this participant are committed to and not kept here/);
    await eventually(() => {
      const found = holders(join(network.stateDir, 'members', 'stmary'), CANARY);
      assert.deepEqual(found, []);
      return Promise.resolve();
    });
    assert.match(await contents('acme', 'monitor'), new RegExp(CANARY));
  });
});
