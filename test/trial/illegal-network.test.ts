import { networkOfSuite } from '../support/network.js';
import { scratchFolder } from '../support/scratch.js';
import { Attempts } from './attempts.js';
import { illegalOnData } from './illegal-data.js';
import { illegalAtEnrolment } from './illegal-enrolment.js';
import { threeHospitals } from './network-study.js';
import { PeerLedger } from './trial-ledger.js';
import { TrialWorld } from './world.js';

for (const suite of [illegalAtEnrolment, illegalOnData]) {
  describe('on the peers of a running network', function () {
    this.timeout(300_000);
    const folder = scratchFolder();
    const network = networkOfSuite({ topologyFile: threeHospitals(folder.path) });
    let ledger: PeerLedger | undefined;

    after(() => {
      ledger?.close();
      folder.remove();
    });

    suite(async () => {
      ledger = new PeerLedger(network.stateDir);
      return Attempts.onTwo(new TrialWorld(ledger));
    });
  });
}
