/** Study definitions on a running network: what `$usdm-export` gives of an imported file, and to whom. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TrialView } from '@salus/chaincode/trial/api';
import { DOCUMENT_PATH } from '@salus/gateway/trial/documents';
import type { Answer, TestNetwork } from '../support/network.js';
import { text, valuesIn } from './network-study.js';
import { atDoor } from './straight.js';
import { differences, fieldsOf } from './usdm-compared.js';

type Who = Readonly<Record<'member' | 'role', string>>;

/** Everybody who works in the trial has all that the file says, field by field; who does not has what is public. */
export async function assertWhole(network: TestNetwork, trial: string, file: string): Promise<void> {
  const exported = async (member: string, role: string, query = '') => {
    const token = await network.token({ member, role });
    const answer = await network.ask(member, `ResearchStudy/${trial}/$usdm-export${query}`, { token });
    const { usdm = '{}', whole } = valuesIn(answer);
    return { status: answer.status, usdm: String(usdm), whole };
  };
  const said: unknown = JSON.parse(file);
  for (const [member, role] of [
    ['acme', 'sponsor'],
    ['stmary', 'investigator'],
    ['authority', 'ethics'],
  ] as const) {
    const { usdm, whole } = await exported(member, role);
    assert.equal(whole, true, member);
    assert.deepEqual(differences(said, JSON.parse(usdm)), [], member);
  }
  for (const [member, role] of [
    ['medisure', 'auditor'],
    ['stmary', 'nurse'],
  ] as const) {
    const { usdm, whole } = await exported(member, role);
    assert.equal(whole, false, role);
    assert.ok(fieldsOf(JSON.parse(usdm)) < fieldsOf(said), role);
  }
  const { versions } = (await network.ask('meridian', `/trials/${trial}`)).body as unknown as TrialView;
  const hash = versions.at(-1)?.protocol.document;
  for (const [member, question, status] of [
    ['stmary', { trial, hash }, 200],
    ['stmary', { trial, hash: 'a'.repeat(64) }, 404],
    ['stmary', { trial: 'none', hash }, 404],
    ['medisure', { trial, hash }, 404],
  ] as const) {
    assert.equal((await atDoor(network.stateDir, [member, 'acme'], DOCUMENT_PATH, question)).status, status, member);
  }
  assert.equal((await exported('acme', 'sponsor', '?version=1')).whole, true);
  for (const version of ['0', '99', '1.0', 'x', '']) {
    assert.equal((await exported('acme', 'sponsor', `?version=${version}`)).status, 404, version);
  }
}

/** `$usdm-import` of a file as a trial of its own, whatever it answers. */
export async function imported(
  network: TestNetwork,
  { trial, usdm, member = 'acme', role = 'sponsor' }: Readonly<Record<'trial' | 'usdm', string>> & Partial<Who>,
): Promise<Answer> {
  const parties = { allocator: 'tally', board: 'tally', ethics: 'authority', regulator: 'authority', site: 'stmary' };
  const parameter = Object.entries({ trial, usdm, ...parties }).map((each) => text(...each));
  const token = await network.token({ member, user: `${role}-1`, role });
  const body = { resourceType: 'Parameters', parameter };
  return network.ask(member, 'ResearchStudy/$usdm-import', { token, body });
}

/** Every study definition of a folder, registered and asked for again. */
export async function assertAllWhole(network: TestNetwork, folder: string): Promise<void> {
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  assert.ok(files.length > 0);
  for (const [index, file] of files.entries()) {
    const [trial, usdm] = [`SHARED-${index}`, readFileSync(join(folder, file), 'utf8')];
    const answer = await imported(network, { trial, usdm });
    assert.equal(answer.status, 200, `${file}: ${answer.text}`);
    await assertWhole(network, trial, usdm);
  }
}
