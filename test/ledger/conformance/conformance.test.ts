/**
 * What the ledger owes its clients, one row of Fabric's behaviour a test: the unmodified gateway client over mutual TLS
 * against a running network. The same tests run on the embedded ledger and on Fabric.
 */
import { engineName, startEngine, type Engine } from '../../support/engine.js';
import { blockSuite } from './blocks.js';
import { conflictSuite } from './conflicts.js';
import { craftedSuite } from './crafted.js';
import { deliverSuite } from './deliver.js';
import { embeddedRefusalSuite } from './embedded-refusals.js';
import { endorseSuite } from './endorse.js';
import { evaluateSuite } from './evaluate.js';
import { eventSuite } from './events.js';
import { limitSuite } from './limits.js';
import { privateDataSuite } from './private-data.js';
import { proposalSuite } from './proposals.js';
import { resultSuite } from './results.js';
import { sameBlockSuite } from './same-block.js';
import { simulationSuite } from './simulation.js';
import { submitSuite } from './submit.js';
import { systemChaincodeSuite } from './system-chaincodes.js';

const SUITES: readonly ((engine: () => Engine) => void)[] = [
  evaluateSuite,
  endorseSuite,
  submitSuite,
  proposalSuite,
  simulationSuite,
  resultSuite,
  privateDataSuite,
  eventSuite,
  deliverSuite,
  systemChaincodeSuite,
  conflictSuite,
  blockSuite,
  craftedSuite,
  limitSuite,
  sameBlockSuite,
  embeddedRefusalSuite,
];

describe(`conformance with Fabric, engine ${engineName}`, function () {
  this.timeout(180_000);
  let engine: Engine;

  before(async () => {
    engine = await startEngine();
  });

  after(() => engine.stop());

  for (const suite of SUITES) suite(() => engine);
});
