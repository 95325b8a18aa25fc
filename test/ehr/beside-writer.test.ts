/** Files beside the ledger are there before anything names them, and as long as something may. */
import assert from 'node:assert/strict';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { versionKey, type WriteVersions } from '@salus/chaincode/ehr/api';
import { agrees } from '@salus/gateway/door/evidence';
import { ContentCare, ORPHAN_MS } from '@salus/gateway/ehr/content-care';
import { RecentContents } from '@salus/gateway/ehr/recent';
import { contentOf, openStored, storedBytes, toEntry } from '@salus/gateway/ehr/translate';
import { EhrWriter } from '@salus/gateway/ehr/writer';
import { namesIn, ON_LEDGER_LIMIT } from '@salus/gateway/keys/beside';
import { freshSecrets } from '@salus/gateway/keys/content';
import { KeyStore } from '@salus/gateway/keys/key-store';
import { Outbox } from '@salus/gateway/ledger/outbox';
import { OutboxStore } from '@salus/gateway/ledger/outbox-store';
import { Refusal } from '@salus/gateway/ledger/refusal';
import type { Actor, ResourceWrite, StoredVersion } from '@salus/gateway/ports';
import { hash } from 'node:crypto';

import { scratchFolder } from '../support/scratch.js';
import { ScriptedSteps } from '../support/scripted-steps.js';

const actor: Actor = { member: 'stmary', user: 'dr-adams', role: 'physician', purpose: 'TREAT', scopes: [] };
const data = 'QUJD'.repeat(10_000);
const binary = (id: string, expect = 0): ResourceWrite => {
  const text = JSON.stringify({ resourceType: 'Binary', id, contentType: 'image/png', data });
  return { type: 'Binary', id, expect, text, patient: 'p1' };
};
const LATER = (): number => Date.now() + 2 * ORPHAN_MS;

describe('files beside the ledger', () => {
  let folder: ReturnType<typeof scratchFolder>;
  let keys: KeyStore;
  let steps: ScriptedSteps;
  let outbox: Outbox;
  let writer: EhrWriter;
  /** What the projection would show, as the contract's answer made it so. */
  let shown: StoredVersion[];
  let isWhole: boolean;

  beforeEach(() => {
    folder = scratchFolder();
    keys = new KeyStore(folder.path);
    steps = new ScriptedSteps();
    [shown, isWhole] = [[], true];
    outbox = new Outbox(steps, new OutboxStore(folder.path, 'gateway0', keys.seal), keys);
    writer = new EhrWriter({
      ...{ keys, outbox, recent: new RecentContents(), mspId: 'StmaryMSP', gateway: 'gateway0', answerWaitMs: 300 },
      freeVersion: (_code, version) => version,
      findDone: () => Promise.resolve(undefined),
    });
  });
  afterEach(async () => {
    await outbox.stop();
    keys.close();
    folder.remove();
  });

  const content = (): string => join(folder.path, 'content');
  const files = (): string[] =>
    existsSync(content())
      ? readdirSync(content(), { recursive: true, encoding: 'utf8' }).filter((name) =>
          statSync(join(content(), name)).isFile(),
        )
      : [];
  const request = (at = 0): WriteVersions =>
    JSON.parse(Buffer.from(steps.calls[at]!.transient!.request!).toString()) as WriteVersions;
  /** The text that a request puts on the ledger. */
  const textOf = (of: WriteVersions): string => {
    const [entry] = of.entries;
    const opened = openStored(versionKey(entry!.key, entry!.version), storedBytes(entry!.value), { keys });
    return contentOf(opened!).text ?? '';
  };
  const care = (gateway = 'gateway0'): ContentCare =>
    new ContentCare({
      ...{ gateway, keys, outbox, tip: () => Promise.resolve(7), onLost: () => undefined },
      projection: {
        awaited: isWhole ? 0 : 1,
        reached: () => Promise.resolve(true),
        keyed: (key: string) =>
          shown.filter(({ ledgerKey }) => ledgerKey.startsWith(key)).map((stored) => ({ position: 1, stored })),
        beside: () => [],
      },
    });
  const look = (gateway?: string): Promise<void> => care(gateway).look(LATER());

  it('are whole on the disk before the request that names them is endorsed', async () => {
    let seen: readonly string[] = [];
    steps.endorser = () => {
      seen = namesIn(textOf(request()));
      for (const name of seen)
        assert.equal(hash('sha256', readFileSync(join(content(), name.slice(0, 2), name))), name);
    };
    assert.equal((await writer.write(actor, [binary('b')])).state, 'committed');
    assert.equal(seen.length, 1);
    const [ledgerKey] = request().entries.map(({ key }) => versionKey(key, 1));
    assert.equal(keys.joined(ledgerKey!, textOf(request())), binary('b').text);
  });

  it('are in folders that are on the disk, also where another writer made those', async () => {
    await writer.write(actor, [binary('a')]);
    const [name = ''] = namesIn(textOf(request()));
    const folders = [join(content(), name.slice(0, 2)), content(), folder.path];
    const synced: string[] = [];
    const { open } = promises;
    promises.open = async (path, ...rest) => {
      const handle = await open(path, ...rest);
      const sync = handle.sync.bind(handle);
      handle.sync = async () => {
        await sync();
        synced.push(path as string);
      };
      return handle;
    };
    syncBuiltinESMExports();
    try {
      const [secrets] = freshSecrets(1);
      keys.keepVersionKeys([{ ledgerKey: 'k', ...secrets! }]);
      const file = { name, bytes: Buffer.from('x'), salt: secrets!.salt };
      await keys.contents.keep([file], { gateway: 'gateway0', request: 'r' });
    } finally {
      promises.open = open;
      syncBuiltinESMExports();
    }
    assert.deepEqual(synced.slice(1), folders);
  });

  it('go a day after it was seen that no row names them, as where an older backup brings them back', async () => {
    await writer.write(actor, [binary('b')]);
    const [named] = files();
    mkdirSync(join(content(), 'ee'), { recursive: true });
    for (const name of ['ee'.repeat(32), `${'ef'.repeat(32)}.part`]) writeFileSync(join(content(), 'ee', name), 'back');
    const looking = care();
    const now = Date.now();
    await looking.look(now);
    await looking.look(now + ORPHAN_MS);
    assert.equal(files().length, 3, 'not before a day is over');
    await looking.look(now + ORPHAN_MS + 1);
    assert.deepEqual(files(), [named]);
  });

  it('are deleted where the write is refused', async () => {
    steps.endorser = () => {
      throw new Refusal('conflict', 'version-conflict', 'no');
    };
    await assert.rejects(writer.write(actor, [binary('b', 4)]), /version-conflict/);
    assert.deepEqual(files(), []);
  });

  it('say so where the disk does not take them, and nothing is sent', async () => {
    // Where the folder should be there is a file.
    writeFileSync(content(), 'in the way');
    await assert.rejects(writer.write(actor, [binary('b')]), /not-kept/);
    assert.deepEqual([steps.calls.length, keys.contents.unsettled('gateway0', LATER()).length], [0, 0]);
  });

  it('stay while the outbox or the ledger may name them, and are swept a day after both cannot', async () => {
    steps.decide = () => 'silent';
    const unknown = await writer.write(actor, [binary('open')], { key: 'k', digest: 'd' });
    assert.equal(unknown.state, 'unknown');
    const [secrets] = freshSecrets(1);
    const made = toEntry({ ...binary('left'), text: binary('left').text! }, 1, 'c0de', secrets!);
    keys.keepVersionKeys([{ ledgerKey: made.ledgerKey, ...secrets!, patient: 'p1' }]);
    const kept = made.files.map((file) => ({ ...file, salt: secrets!.salt }));
    await keys.contents.keep(kept, { gateway: 'gateway0', request: 'never-intended' });
    assert.equal(files().length, 2);
    await look('gateway1');
    assert.equal(files().length, 2, 'another gateway leaves them to the one that kept them');
    isWhole = false;
    await look();
    assert.equal(files().length, 2, 'a value is awaited: it may be the one that names them');
    isWhole = true;
    const outline = contentOf(made.plaintext).text!;
    const version = { type: 'Binary', id: 'left', version: 1, lastUpdated: '', deleted: false, txId: '', block: 1 };
    shown = [{ ...version, ledgerKey: made.ledgerKey, outline, text: outline }];
    await look();
    shown = [];
    await look();
    assert.equal(files().length, 2, 'it was seen on the ledger, and the other is in the outbox');
    keys.database.exec('UPDATE content_files SET settled = 0');
    await look();
    assert.deepEqual(files().length, 1);
    assert.equal(keys.versionKey(made.ledgerKey, secrets!.salt), undefined);
    const [name] = namesIn(textOf(request()));
    assert.ok(files()[0]?.endsWith(name!));
  });

  it('are younger than a day left alone', async () => {
    const [secrets] = freshSecrets(1);
    keys.keepVersionKeys([{ ledgerKey: 'k', ...secrets! }]);
    const file = { name: 'ab'.repeat(32), bytes: Buffer.from('x'), salt: secrets!.salt };
    await keys.contents.keep([file], { gateway: 'gateway0', request: 'r' });
    assert.deepEqual(keys.contents.unsettled('gateway0', Date.now() - ORPHAN_MS), []);
    assert.equal(keys.contents.unsettled('gateway0', LATER()).length, 1);
  });

  it('go with the key of an erased patient, also where they come behind the erasure', async () => {
    await writer.write(actor, [binary('b')]);
    keys.erasePatientKey('p1');
    keys.contents.dropKeyless();
    assert.deepEqual(files(), []);
    await assert.rejects(writer.write(actor, [binary('c')]), /not-found/);
    const [secrets] = freshSecrets(1);
    const file = { name: 'cd'.repeat(32), bytes: Buffer.from('x'), salt: secrets!.salt };
    await assert.rejects(keys.contents.keep([file], { gateway: 'gateway0', request: 'r' }), /not-found/);
    keys.contents.dropKeyless(LATER());
    assert.deepEqual(files(), []);
    assert.deepEqual(keys.database.prepare('SELECT * FROM content_files').all(), []);
  });

  it('are committed to by the value on the ledger: other content does not agree with it', () => {
    const [secrets] = freshSecrets(1);
    const made = toEntry({ type: 'Binary', id: 'b', text: binary('b').text! }, 1, 'c0de', secrets!);
    const hex = (bytes: string | Buffer): string => hash('sha256', bytes);
    const write = {
      collection: 'of-stmary',
      keyHash: hex(made.ledgerKey),
      valueHash: hex(storedBytes(made.entry.value)),
    };
    const transaction = { code: 0, writes: [write] };
    const evidence = {
      ...{ ledgerKey: made.ledgerKey, txId: 'aa', beside: ON_LEDGER_LIMIT },
      versionKey: secrets!.key.toString('base64url'),
      salt: secrets!.salt.toString('base64url'),
    };
    const content = JSON.parse(binary('b').text!) as { data: string };
    const resource = { ...content, meta: { versionId: '1' } };
    assert.ok(agrees(resource, evidence, 'stmary', transaction));
    const changed = { ...resource, data: `QUJE${data.slice(4)}` };
    assert.ok(!agrees(changed, evidence, 'stmary', transaction));
    assert.ok(!agrees(resource, { ...evidence, beside: 2 * data.length }, 'stmary', transaction));
    const outline = JSON.parse(contentOf(made.plaintext).text!) as object;
    assert.ok(!agrees({ ...outline, meta: resource.meta }, evidence, 'stmary', transaction), 'a name is no content');
  });

  it('are found by a reader of another version’s key as lost', async () => {
    mkdirSync(content(), { recursive: true });
    await writer.write(actor, [binary('b')]);
    await writer.write(actor, [{ ...binary('other'), patient: 'p2' }]);
    const [first, second] = [textOf(request(0)), request(1)];
    assert.equal(keys.joined(versionKey(second.entries[0]!.key, 1), first), undefined);
  });
});
