import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { openContent, sealContent } from '@salus/gateway/keys/content';
import { KeyStore } from '@salus/gateway/keys/key-store';
import { Memory } from '@salus/gateway/keys/memory';
import { PendingWork } from '@salus/gateway/keys/pending-work';
import { Wallet } from '@salus/gateway/keys/wallet';

import { scratchFolder } from '../support/scratch.js';

describe("a member's keys", () => {
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

  function reopen(): void {
    keys.close();
    keys = new KeyStore(folder.path);
  }

  function versionKey(patient?: string) {
    const own = { ledgerKey: 'k1', salt: randomBytes(32), key: randomBytes(32) };
    return patient === undefined ? own : { ...own, patient };
  }

  it('outlive the process, and two gateways of a member share them', () => {
    const [first, second] = [versionKey('p1'), versionKey()];
    const code = keys.hmac('lookup', 'Patient/1');
    keys.keepVersionKeys([first, second]);
    const other = new KeyStore(folder.path);
    assert.deepEqual(other.versionKey(first.ledgerKey, first.salt), first.key);
    assert.equal(other.hmac('lookup', 'Patient/1'), code);
    other.close();
    reopen();
    assert.deepEqual(keys.versionKey(second.ledgerKey, second.salt), second.key);
  });

  it('make codes of look-ups that nobody else can make', () => {
    const code = keys.hmac('lookup', 'Patient/1');
    const others = scratchFolder();
    const elsewhere = new KeyStore(others.path);
    assert.notEqual(elsewhere.hmac('lookup', 'Patient/1'), code);
    elsewhere.close();
    others.remove();
  });

  it('keep open work beside them, decimals digit by digit', () => {
    new PendingWork(keys, 'gateway0').keep('entry/1', { value: JSON.rawJSON('1.50') });
    reopen();
    const pending = new PendingWork(keys, 'gateway0');
    assert.equal(JSON.stringify(pending.get('entry/1')), '{"value":1.50}');
    assert.equal(JSON.stringify(pending.list('entry/')), '[{"id":"entry/1","value":{"value":1.50}}]');
  });

  it('lie on disk sealed, in files of their owner only', () => {
    const kept = versionKey('p1');
    keys.keepVersionKeys([kept]);
    const secret = new Wallet(keys).privateKey('p1').d!;
    for (const file of readdirSync(folder.path)) {
      const path = join(folder.path, file);
      const bytes = readFileSync(path);
      assert.equal(statSync(path).mode & 0o077, 0, file);
      assert.ok(!bytes.includes(kept.key) && !bytes.includes(secret), file);
    }
  });

  it('are not opened with a master key others can read, or another one', () => {
    keys.hmac('lookup', 'x');
    const master = join(folder.path, 'master.key');
    chmodSync(master, 0o644);
    assert.throws(() => new KeyStore(folder.path), /chmod 600/);
    chmodSync(master, 0o600);
  });

  it("are gone for good when the patient's key is destroyed", () => {
    const [gone, stays] = [versionKey('p1'), versionKey('p2')];
    keys.keepVersionKeys([gone, stays]);
    keys.erasePatientKey('p1');
    reopen();
    assert.equal(keys.versionKey(gone.ledgerKey, gone.salt), undefined);
    assert.ok(keys.isErased('p1'));
    assert.deepEqual(keys.versionKey(stays.ledgerKey, stays.salt), stays.key);
    assert.throws(
      () => {
        keys.keepVersionKeys([versionKey('p1')]);
      },
      { code: 'not-found' },
    );
  });

  it('tell attempts at one version apart by their salts', () => {
    const [first, second] = [versionKey('p1'), versionKey('p1')];
    keys.keepVersionKeys([first]);
    keys.keepVersionKeys([second]);
    assert.deepEqual(keys.versionKey(first.ledgerKey, first.salt), first.key);
    assert.deepEqual(keys.versionKey(second.ledgerKey, second.salt), second.key);
    keys.dropVersionKeys([first]);
    assert.equal(keys.versionSecrets('k1').length, 1);
  });

  it('give each patient one signing key that stays', () => {
    const wallet = new Wallet(keys);
    const key = wallet.publicKey('p1');
    reopen();
    const again = new Wallet(keys);
    assert.deepEqual(again.publicKey('p1'), key);
    assert.equal(again.privateKey('p1').kid, key.kid);
    assert.notEqual(again.publicKey('p2').kid, key.kid);
  });
});

describe('content on the ledger', () => {
  const [key, salt] = [randomBytes(32), randomBytes(32)];

  it('is the same bytes for the same content and secrets, so that a reader can check it', () => {
    assert.deepEqual(sealContent('x', key, salt), sealContent('x', key, salt));
  });

  it('opens with its own key only, and not when it or its commitment was changed', () => {
    const sealed = sealContent('a decimal of 1.10', key, salt);
    assert.equal(openContent(sealed, key), 'a decimal of 1.10');
    assert.throws(() => openContent(sealed, randomBytes(32)));
    for (const at of [0, sealed.ciphertext.length >> 1, -1]) {
      const bytes = Buffer.from(sealed.ciphertext, 'base64url');
      bytes.writeUInt8(bytes.at(at)! ^ 1, (at + bytes.length) % bytes.length);
      assert.throws(() => openContent({ ...sealed, ciphertext: bytes.toString('base64url') }, key));
    }
    assert.throws(() => openContent({ ...sealed, commitment: '00'.repeat(32) }, key), /commitment/);
  });
});

describe('what a member remembers', () => {
  let folder: ReturnType<typeof scratchFolder>;
  let keys: KeyStore;
  let memory: Memory;

  beforeEach(() => {
    folder = scratchFolder();
    keys = new KeyStore(folder.path);
    memory = new Memory(keys);
  });
  afterEach(() => {
    keys.close();
    folder.remove();
  });

  it('takes a proof once, whichever gateway of the member it comes to', async () => {
    const other = new KeyStore(folder.path);
    const used = [memory.useOnce('j1', 2000, 1000), memory.useOnce('j2', 2000, 1001)];
    assert.ok(used.every((each) => each !== undefined));
    assert.equal(memory.useOnce('j1', 2000, 1001), undefined);
    assert.equal(new Memory(other).useOnce('j2', 2000, 1001), undefined);
    await Promise.all(used);
    other.close();
  });

  it('takes a proof once without waiting for the disk, also after a gateway was killed', () => {
    const ports = { keys: import.meta.resolve('@salus/gateway/keys/key-store'), folder: folder.path };
    const killed = `
      const { KeyStore } = await import('${ports.keys}');
      const { Memory } = await import('${import.meta.resolve('@salus/gateway/keys/memory')}');
      const memory = new Memory(new KeyStore('${ports.folder}'));
      if (memory.takeOnce('j1', { from: 1000, expires: 9000 }, 1000)) process.kill(process.pid, 'SIGKILL');`;
    const { signal } = spawnSync(process.execPath, ['--input-type=module', '-e', killed]);
    assert.equal(signal, 'SIGKILL');
    const later = new Memory(keys);
    assert.equal(later.takeOnce('j1', { from: 1000, expires: 9000 }, 1001), false);
    assert.equal(later.takeOnce('j2', { from: 1000, expires: 9000 }, 1001), true);
    assert.equal(memory.takeOnce('j2', { from: 1000, expires: 9000 }, 1002), false);
  });

  it('takes no proof that could be used before the machine was started anew, for its use may be lost', () => {
    const taken = (memory: Memory, jti: string, from: number): boolean =>
      memory.takeOnce(jti, { from, expires: 99_000 }, from);
    // Nothing was used before there was a memory.
    assert.equal(taken(new Memory(keys), 'first', 1), true);
    const restarted = new Memory(keys, { id: 'second start', at: 5_000 });
    assert.deepEqual([taken(restarted, 'a', 5_000), taken(restarted, 'b', 5_001)], [false, true]);
    // Another process under the same start, however late, refuses no more than the first.
    const again = new Memory(keys, { id: 'second start', at: 8_000 });
    assert.deepEqual([taken(again, 'c', 5_000), taken(again, 'd', 5_001)], [false, true]);
    const third = new Memory(keys, { id: 'third start', at: 9_000 });
    assert.deepEqual([taken(third, 'e', 9_000), taken(third, 'f', 9_001)], [false, true]);
  });

  it('notices a consent rolled back', () => {
    assert.equal(memory.sawVersion('c1', 3, 'c', 7), true);
    assert.equal(memory.sawVersion('c1', 3, 'c', 7), true);
    assert.equal(memory.sawVersion('c1', 2, 'b', 7), false);
  });

  it('notices a version of a consent that says something else than before', () => {
    memory.sawVersion('c1', 3, 'c', 7);
    assert.equal(memory.sawVersion('c1', 3, 'x', 7), false);
    assert.equal(memory.sawVersion('c1', 3, 'c', 7), true);
    assert.equal(memory.sawVersion('c1', 4, 'x', 7), true);
  });

  it('keeps a refusal in force until it is lifted', () => {
    memory.refuse('c1', 'withdrawn', '2026-01-01T00:00:00Z');
    assert.equal(memory.refusalOf('c1'), 'withdrawn');
    memory.lift('c1');
    assert.equal(memory.refusalOf('c1'), undefined);
  });
});
