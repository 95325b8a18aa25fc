import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { eventually } from '../support/eventually.js';
import { freePortBase } from '../support/free-ports.js';
import { startNetwork, type TestNetwork } from '../support/network.js';
import { scratchFolder } from '../support/scratch.js';
import { entryOf, NetworkStudy, STUDY, threeHospitals } from './network-study.js';

const PARTICIPANTS = ['P1', 'P2', 'P3', 'P4', 'P5', 'P6'];

describe('entering data at a gateway that is killed', function () {
  this.timeout(300_000);
  const folder = scratchFolder();
  const stateDir = mkdtempSync(join(tmpdir(), 'salus-resume-'));
  let network: TestNetwork;

  after(async () => {
    await network.stop();
    rmSync(stateDir, { recursive: true, force: true });
    folder.remove();
  });

  it('loses nothing: what is on record is at the site and, without anybody asking again, at the sponsor', async () => {
    const wish = { stateDir, portBase: await freePortBase(), topologyFile: threeHospitals(folder.path) };
    network = await startNetwork(wish);
    const study = new NetworkStudy(network, 8);
    await study.opened();
    for (const participant of PARTICIPANTS) {
      await study.prepared(participant, 'stmary');
      assert.equal((await study.randomize(participant, 'stmary', 's1')).status, 200);
    }
    const answered: string[] = [];
    const entries = PARTICIPANTS.flatMap((participant) => ['vitals', 'labs'].map((form) => ({ participant, form })));
    const asked = entries.map(async ({ participant, form }) => {
      const answer = await study.post(
        'stmary',
        'investigator',
        '$enter',
        entryOf(participant, form, `${participant} ${form}`),
      );
      if (answer.status === 200) answered.push(`${participant} ${form}`);
    });
    await Promise.race(asked);
    await network.kill();
    await Promise.allSettled(asked);
    network = await startNetwork(wish);
    const found: string[] = [];
    await eventually(async () => {
      found.length = 0;
      for (const participant of PARTICIPANTS) {
        const [site, sponsor] = [await contents('stmary', participant), await contents('acme', participant)];
        assert.ok(!site.includes('incomplete') && !sponsor.includes('incomplete'), sponsor);
        assert.deepEqual(formsIn(sponsor), formsIn(site));
        found.push(...formsIn(site).map((form) => `${participant} ${form}`));
      }
      assert.deepEqual(
        answered.filter((each) => !found.includes(each)),
        [],
      );
    });
    assert.ok(answered.length > 0);
  });

  async function contents(member: string, participant: string): Promise<string> {
    const role = member === 'acme' ? 'sponsor' : 'investigator';
    const token = await network.token({ member, role });
    const path = `QuestionnaireResponse?study=ResearchStudy/${STUDY}&participant=${participant}`;
    const answer = await network.ask(member, path, { token });
    assert.equal(answer.status, 200, answer.text);
    return answer.text;
  }
});

/** The forms among the contents of a searchset. */
function formsIn(searchset: string): readonly string[] {
  return ['labs', 'vitals'].filter((form) => searchset.includes(`/v1/${form}/1`));
}
