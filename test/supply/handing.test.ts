import assert from 'node:assert/strict';

import { KeyStore } from '@salus/gateway/keys/key-store';
import { NamedSecrets } from '@salus/gateway/keys/named-secrets';
import { PendingWork } from '@salus/gateway/keys/pending-work';
import { Handing } from '@salus/gateway/supply/packs/handing';
import { PackShelf } from '@salus/gateway/supply/packs/shelf';

import { random } from '../support/contract-world.js';
import { scratchFolder } from '../support/scratch.js';

describe('a handover that a door does not take', () => {
  let folder: ReturnType<typeof scratchFolder>;
  let keys: KeyStore;
  beforeEach(() => {
    folder = scratchFolder();
    keys = new KeyStore(folder.path);
  });
  afterEach(() => {
    keys.close();
    folder.remove();
  });

  it('is told again until it is taken, by the next process too, and then no more', async () => {
    const secrets = new NamedSecrets(keys);
    const shelf = new PackShelf({ projection: { fact: () => undefined, facts: () => [] }, secrets });
    const [commitment, place] = [random(), { captureID: 'c1', event: 2 }];
    secrets.keep({ [`sent/${commitment}`]: random() });
    const asked: string[] = [];
    const taken: object[] = [];
    const stopping = new AbortController();
    const opened = (answers: (object | Error | undefined)[]) =>
      new Handing({
        shelf,
        secrets,
        pending: new PendingWork(keys, 'gateway0'),
        ask: (member) => {
          asked.push(member);
          const answer = answers.shift();
          return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
        },
        onTaken: (each) => {
          taken.push(each);
          stopping.abort();
          return Promise.resolve();
        },
      });
    const handover = { to: 'meridian', as: 'receiver', shipped: [['urn:x', commitment]], place } as const;
    assert.equal(await opened([new Error('no door')]).tell('c1/2', handover), false);
    // A process later: the door shows nothing at first, then takes it.
    await opened([undefined, {}]).goOn(stopping.signal);
    assert.deepEqual([asked.length, taken], [3, [place]]);
    assert.deepEqual(new PendingWork(keys, 'gateway0').list('handover/'), []);
  }).timeout(20_000);
});
