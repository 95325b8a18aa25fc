/** The drill: a machine is lost with all that lay on it, and comes back from a backup that was taken while it worked. */
import { strict as assert } from 'node:assert';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { salus, type CommandResult } from '../support/command.js';
import { engineName } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { freePortBase } from '../support/free-ports.js';
import { type FhirBody, type TestNetwork, startNetwork } from '../support/network.js';
import { glucose, patient } from '../story/people.js';

/** On Fabric one member's machine is lost; the embedded ledger is on one machine with everybody. */
const alone = engineName === 'fabric';
const whose = alone ? ['--member', 'northside'] : [];

describe(`a lost machine of ${alone ? 'one member' : 'the embedded ledger'}`, function () {
  this.timeout(300_000);
  const folder = mkdtempSync(join(tmpdir(), 'salus-backup-'));
  const stateDir = join(folder, 'state');
  const copy = join(folder, 'copy');
  const acknowledged: string[] = [];
  let network: TestNetwork;
  let portBase: number;
  let token: string;
  let patientId: string;

  const up = async (): Promise<void> => {
    network = await startNetwork({ stateDir, portBase });
    token = await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' });
  };
  const write = async (body: unknown, type = 'Observation'): Promise<FhirBody> => {
    const answer = await network.ask('northside', type, { token, body });
    assert.equal(answer.status, 201, answer.text);
    return answer.body;
  };
  const command = (...args: string[]): Promise<CommandResult> => salus(stateDir, args);

  before(async () => {
    portBase = await freePortBase();
    await up();
    patientId = String((await write(patient, 'Patient')).id);
  });
  after(async () => {
    await (network as TestNetwork | undefined)?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is backed up while it works, and nobody is refused meanwhile', async () => {
    let done = false;
    const goesOn = (): boolean => !done;
    const writing = (async () => {
      for (let value = 1; goesOn(); value += 1) acknowledged.push(String((await write(glucose(patientId, value))).id));
    })();
    while (acknowledged.length < 10) await new Promise((resolve) => setTimeout(resolve, 20));
    const known = acknowledged.length;
    const taken = await command('backup', ...whose, copy);
    done = true;
    await writing;
    // Whether a write came before the copy or after it is known of the first ones alone.
    acknowledged.splice(known);
    assert.equal(taken.code, 0, taken.err);
    assert.match(taken.out, /it holds keys/);
    assert.match((await command('backup', ...whose, copy)).err, /is not empty: name another folder/);
    assert.match((await command('backup', join(stateDir, 'inside'))).err, /keep backups elsewhere/);
    if (!alone) assert.match((await command('backup', '--member', 'acme', `${copy}-2`)).err, /share one ledger/);
    assert.equal((await command('restore', copy)).code, 1, 'while it runs');
  });

  it('comes back complete: keys, ledger with private values, databases', async () => {
    // What others did since reaches the restored member from them.
    if (alone) {
      const away = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
      assert.equal((await network.ask('stmary', 'Patient', { token: away, body: patient })).status, 201);
    }
    const heights = await heightsOf();
    await network.stop();
    assert.match((await command('restore', copy)).err, /is still there: move it away/);
    if (alone) rmSync(join(stateDir, 'members', 'northside'), { recursive: true });
    else rmSync(stateDir, { recursive: true });
    mkdirSync(stateDir, { recursive: true });
    const restored = await command('restore', copy);
    assert.equal(restored.code, 0, restored.err);
    assert.match(restored.out, alone ? /restored northside as of 20/ : /restored everything as of 20/);
    await up();
    for (const id of acknowledged) {
      assert.equal((await network.ask('northside', `Observation/${id}`, { token })).status, 200, id);
    }
    // The restored peer fetches what came since from the others, in its own time.
    if (alone) {
      await eventually(async () => {
        assert.ok((await heightsOf())['northside']! >= heights['stmary']!);
      });
    }
    const rebuilt = await command('rebuild', '--member', 'northside');
    assert.equal(rebuilt.code, 0, rebuilt.err);
    const verified = await command('verify', '--member', 'northside');
    assert.equal(verified.code, 0, verified.err + verified.out);
  });

  it('goes on: the same patient, new writes', async () => {
    const { id } = await write(glucose(patientId, 4711));
    assert.equal((await network.ask('northside', `Observation/${id}`, { token })).status, 200);
  });

  async function heightsOf(): Promise<Record<string, number>> {
    const { members } = JSON.parse((await command('status', '--json')).out) as {
      members: { member: string; height: number }[];
    };
    return Object.fromEntries(members.map(({ member, height }) => [member, height]));
  }
});
