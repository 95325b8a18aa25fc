/** A peer commits a block before it has a private value of it: what its member's gateway makes of that, on both engines. */
import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

import { HELD_MS } from '@salus/gateway/projection/hold';
import { runningProcesses } from '@salus/network/commands/run-file';
import { memberPairs, peerAdmins } from '@salus/network/fabric/establish';
import { until as untilHolds } from '@salus/network/fabric/lifecycle';
import { knownEndorsers } from '@salus/network/fabric/membership';
import { readNetwork } from '@salus/network/prepare';

import { salus } from '../support/command.js';
import { engineName } from '../support/engine.js';
import { freePortBase } from '../support/free-ports.js';
import { type TestNetwork, startNetwork } from '../support/network.js';
import { glucose, patient } from '../story/people.js';

/** How long something that must come may take, milliseconds. */
const PATIENCE_MS = 60_000;

/** What /readyz says of the channel. */
interface Standing {
  readonly height: number;
  readonly channelHeight: number;
  readonly awaited: number;
}

async function standing(fhir: string): Promise<Standing | undefined> {
  const answer = await fetch(new URL('/readyz', fhir)).catch(() => undefined);
  const body = (await answer?.json()) as { channels: { health: Standing } } | undefined;
  return body?.channels.health;
}

const isHeld = ({ height, channelHeight }: Standing): boolean => height < channelHeight;
const isWhole = (now: Standing): boolean => !isHeld(now) && now.awaited === 0;

/** Resolves once the gateway stands so. */
async function until(fhir: string, holds: (now: Standing) => boolean, what: string, within = PATIENCE_MS) {
  const end = Date.now() + within;
  for (;;) {
    const now = await standing(fhir);
    if (now !== undefined && holds(now)) return;
    assert.ok(Date.now() < end, `${what}: ${JSON.stringify(now)}`);
    await sleep(50);
  }
}

async function equalsItsRebuild(stateDir: string, member: string): Promise<void> {
  const { code, out, err } = await salus(stateDir, ['rebuild', '--member', member]);
  assert.equal(code, 0, out + err);
}

async function created(network: TestNetwork, token: string, body: object): Promise<string> {
  const { resourceType } = body as { resourceType: string };
  const answer = await network.ask('stmary', resourceType, { token, body });
  assert.equal(answer.status, 201, answer.text);
  return String(answer.body.id);
}

describe('a value that is not in the private store yet', function () {
  this.timeout(240_000);
  if (engineName !== 'embedded') return;
  const stateDir = mkdtempSync(join(tmpdir(), 'salus-late-'));
  after(() => {
    rmSync(stateDir, { recursive: true, force: true });
  });

  it('is waited for, and is in the record once it is there', async () => {
    const portBase = await freePortBase();
    let network = await startNetwork({ stateDir, portBase });
    const fhir = network.fhir('stmary');
    const token = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    const patientId = await created(network, token, patient);
    const id = await created(network, token, glucose(patientId, 95.1));
    await network.stop();
    const folder = join(stateDir, 'members', 'stmary');
    for (const end of ['', '-wal', '-shm'])
      rmSync(join(folder, 'data', `projection-gateway0.db${end}`), { force: true });
    const store = new DatabaseSync(join(folder, 'ledger', 'private.db'), { timeout: 5_000 });
    const newest = "block = (SELECT max(block) FROM part WHERE collection = 'of-stmary')";
    store.exec(`CREATE TEMP TABLE late AS SELECT * FROM part WHERE ${newest}; DELETE FROM part WHERE ${newest}`);
    const starting = startNetwork({ stateDir, portBase });
    await until(fhir, isHeld, 'the block was not held');
    store.exec('INSERT INTO part SELECT * FROM late');
    store.close();
    network = await starting;
    try {
      await until(fhir, isWhole, 'the value was not asked for again');
      const found = await network.ask('stmary', `Observation/${id}`, { token });
      assert.equal(found.status, 200, found.text);
      await equalsItsRebuild(stateDir, 'stmary');
    } finally {
      await network.stop();
    }
  });
});

describe('a value that a Fabric peer lacks when it commits the block', function () {
  this.timeout(480_000);
  if (engineName !== 'fabric') return;
  let network: TestNetwork;
  let token: string;
  before(async () => {
    network = await startNetwork();
    token = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    await created(network, token, patient);
  });
  after(async () => {
    await network.stop();
  });

  function signal(name: 'SIGSTOP' | 'SIGCONT', ...peers: string[]): void {
    const found = runningProcesses(network.stateDir).filter((node) => peers.includes(node.name));
    assert.equal(found.length, peers.length);
    for (const { pid } of found) process.kill(pid, name);
  }

  /** Those who endorse and keep a value count a peer that stands still as away, and ask it to endorse nothing. */
  async function othersMissOne(): Promise<void> {
    const known = readNetwork(network.stateDir);
    const { channel, chaincode, members } = known.topology;
    for (const pair of memberPairs(known).filter(({ member }) => ['stmary', 'authority'].includes(member.name))) {
      const [admin] = peerAdmins(pair);
      await untilHolds(`a peer less at ${pair.member.name}`, async () => {
        return (await knownEndorsers(admin!, channel, chaincode.name)) === members.length - 1;
      });
    }
  }

  /** Northside's peer stands still while others endorse and keep a value, and they when it commits the block. */
  async function withoutValue(then: () => Promise<void>): Promise<void> {
    signal('SIGSTOP', 'peer0.northside');
    await othersMissOne();
    await created(network, token, patient);
    signal('SIGSTOP', 'peer0.stmary', 'peer0.authority');
    signal('SIGCONT', 'peer0.northside');
    try {
      await then();
    } finally {
      signal('SIGCONT', 'peer0.stmary', 'peer0.authority');
    }
  }

  function patientsKnown(): number {
    const file = join(network.stateDir, 'members', 'northside', 'data', 'projection-gateway0.db');
    const database = new DatabaseSync(file, { readOnly: true });
    const row = database.prepare("SELECT count(*) AS n FROM fact WHERE space = 'patient' AND key LIKE 'pid/%'").get();
    database.close();
    return Number(row?.['n']);
  }

  it('is waited for before the block is applied', async () => {
    const before = patientsKnown();
    await withoutValue(() => until(network.fhir('northside'), isHeld, 'the block was not held'));
    await until(network.fhir('northside'), isWhole, 'the value did not come');
    assert.equal(patientsKnown(), before + 1);
    await equalsItsRebuild(network.stateDir, 'northside');
  });

  it('takes its place in the projection when it comes after that went on', async () => {
    const before = patientsKnown();
    await withoutValue(() =>
      until(network.fhir('northside'), ({ awaited }) => awaited > 0, 'it did not go on', HELD_MS + PATIENCE_MS),
    );
    await until(network.fhir('northside'), isWhole, 'the value did not come');
    assert.equal(patientsKnown(), before + 1);
    await equalsItsRebuild(network.stateDir, 'northside');
  });
});
