'use strict';

/** The baseline of `npm run bench` for Caliper: one value in stmary's own collection, or a call that does nothing. */
const { createRequire } = require('node:module');

const { WorkloadModuleBase } = createRequire(require.main.filename)('@hyperledger/caliper-core');

class Baseline extends WorkloadModuleBase {
  sent = 0;

  async submitTransaction() {
    const { contractId, invokerIdentity, readOnly } = this.roundArguments;
    this.sent += 1;
    const key = `caliper-${this.workerIndex}-${this.roundIndex}-${this.sent}`;
    const operations = readOnly ? [] : [['privatePut', 'of-stmary', key, 'x']];
    await this.sutAdapter.sendRequests({
      contractId,
      contractFunction: 'run',
      contractArguments: [JSON.stringify(operations)],
      invokerIdentity,
      readOnly,
      ...(readOnly ? {} : { targetOrganizations: ['StmaryMSP'] }),
    });
  }
}

module.exports.createWorkloadModule = () => new Baseline();
