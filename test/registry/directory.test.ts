import assert from 'node:assert/strict';

import { Directory } from '@salus/gateway/registry/directory';

import { exampleSettings } from '../support/example-settings.js';
import { newJwk } from '../support/sharing-world.js';

const settings = exampleSettings();
const [first] = settings.members;
const kid = first!.keys[0]!.kid;

describe('the directory', () => {
  it('knows members by the settings until the registry has an entry in force', () => {
    const directory = new Directory({ fact: () => undefined }, settings);
    assert.equal(directory.key(first!.name, kid)?.kid, kid);
    assert.equal(directory.key('nobody', kid), undefined);
  });

  it('knows a member by the entry in force alone: a key replaced there is a stranger’s', () => {
    const fresh = newJwk().public;
    const entry = { kind: 'member', name: first!.name, keys: [fresh] };
    const fact = (_space: string, key: string) =>
      key === `member/${first!.name}` ? JSON.stringify({ hash: '', entry }) : undefined;
    const directory = new Directory({ fact }, settings);
    assert.equal(directory.key(first!.name, kid), undefined);
    assert.equal(directory.key(first!.name, fresh.kid!)?.kid, fresh.kid);
  });
});
