import { strict as assert } from 'node:assert';

import { isHeld, setHold, type HoldPorts } from '@salus/gateway/erasure/hold';
import { ErasureStore } from '@salus/gateway/erasure/store';
import type { FhirRequest } from '@salus/gateway/fhir/request';
import { KeyStore } from '@salus/gateway/keys/key-store';
import { Refusal } from '@salus/gateway/ledger/refusal';
import type { StoredVersion } from '@salus/gateway/ports';

import { scratchFolder } from '../support/scratch.js';

const body = JSON.stringify({
  resourceType: 'Parameters',
  parameter: [
    { name: 'active', valueBoolean: true },
    { name: 'reason', valueCode: 'litigation' },
  ],
});
const officer = { user: 'officer', role: 'admin', purpose: 'HOPERAT' };
const request = { method: 'POST', path: 'Patient/p/$legal-hold', headers: {}, query: [], actor: officer, body };

describe('a legal hold', () => {
  let folder: ReturnType<typeof scratchFolder>;
  let keys: KeyStore;
  let holds: ErasureStore;

  beforeEach(() => {
    folder = scratchFolder();
    keys = new KeyStore(folder.path);
    holds = new ErasureStore(keys);
  });
  afterEach(() => {
    keys.close();
    folder.remove();
  });

  /** Its ports, with a projection that has what was written once it is told to go on. */
  function held(): { ports: HoldPorts; goOn: (reached: boolean) => void } {
    const applied = Promise.withResolvers<boolean>();
    const versions = new Map<string, Pick<StoredVersion, 'version' | 'text'>>([
      ['Patient/p', { version: 1, text: '{}' }],
    ]);
    const written: { key: string; text: string }[] = [];
    const ports = {
      holds,
      writer: {
        write: (_actor: unknown, [write]: readonly { type: string; id: string; text: string }[]) => {
          written.push({ key: `${write!.type}/${write!.id}`, text: write!.text });
          return Promise.resolve({ state: 'committed', commit: { txId: 't', block: 7 }, written: [] });
        },
      },
      current: (type: string, id: string) => versions.get(`${type}/${id}`),
      reached: async (block: number) => {
        assert.equal(block, 7);
        if (!(await applied.promise)) return false;
        for (const { key, text } of written) versions.set(key, { version: 1, text });
        return true;
      },
    };
    return { ports: ports as unknown as HoldPorts, goOn: applied.resolve };
  }
  const set = (ports: HoldPorts) => setHold(ports, request as unknown as FhirRequest, 'p');

  it('is said to be in force once erasures are judged by it', async () => {
    const { ports, goOn } = held();
    const answer = set(ports).then(({ status }) => ({ status, isHeld: isHeld(ports, 'p') }));
    setTimeout(() => {
      goOn(true);
    }, 20);
    assert.deepEqual(await answer, { status: 200, isHeld: true });
  });

  it('is not said to be before that', async () => {
    const { ports, goOn } = held();
    goOn(false);
    assert.equal((await set(ports)).status, 202);
  });

  it('holds at the member’s other gateway, too, whose projection is behind, until it is lifted', async () => {
    const [here, behind] = [held(), held()];
    assert.equal(isHeld(behind.ports, 'p'), false);
    here.goOn(true);
    await set(here.ports);
    assert.equal(isHeld(behind.ports, 'p'), true);
    const lifted = { ...request, body: body.replace('"valueBoolean":true', '"valueBoolean":false') };
    await setHold(here.ports, lifted as unknown as FhirRequest, 'p');
    assert.deepEqual(
      [here, behind].map(({ ports }) => isHeld(ports, 'p')),
      [false, false],
    );
  });

  it('is nothing where the ledger refused it', async () => {
    const { ports } = held();
    const refused = new Refusal('conflict', 'version-conflict', 'another was first');
    await assert.rejects(set({ ...ports, writer: { write: () => Promise.reject(refused) } }), refused);
    assert.equal(isHeld(ports, 'p'), false);
  });
});
