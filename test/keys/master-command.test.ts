import { strict as assert } from 'node:assert';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { KeyStore } from '@salus/gateway/keys/key-store';
import { MASTER_BYTES } from '@salus/gateway/keys/master-command';

import { scratchFolder } from '../support/scratch.js';

const MODULE = ['/usr/lib/softhsm/libsofthsm2.so', '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so'].find(existsSync);
const hasToken = MODULE !== undefined && spawnSync('pkcs11-tool', ['--version']).error === undefined;

describe('a master key that is unwrapped by a command', () => {
  let folder: ReturnType<typeof scratchFolder>;
  let code: string;
  const at = (name: string): string => join(folder.path, name);
  const run = (program: string, ...args: string[]): Buffer =>
    execFileSync(program, args, { cwd: folder.path, stdio: ['ignore', 'pipe', 'ignore'] });
  const say = (unwrap: unknown): void => {
    writeFileSync(at('master.json'), JSON.stringify({ unwrap }), { mode: 0o600 });
  };
  /** What the store makes of a text under its own secret: the same only while it opens what it sealed. */
  const opened = (): string => {
    const store = new KeyStore(folder.path);
    try {
      return store.hmac('lookup', 'x');
    } finally {
      store.close();
    }
  };

  beforeEach(() => {
    folder = scratchFolder();
    code = opened();
  });
  afterEach(() => {
    folder.remove();
  });

  /** A key pair on disk that wraps the key as a token's would. */
  function wrapped(): readonly string[] {
    mkdirSync(at('token'));
    run('openssl', 'genpkey', '-algorithm', 'RSA', '-out', 'token/private.pem');
    run('openssl', 'pkey', '-in', 'token/private.pem', '-pubout', '-out', 'token/public.pem');
    const oaep = ['-pkeyopt', 'rsa_padding_mode:oaep'];
    const files = ['-in', 'master.key', '-out', 'master.wrapped'];
    run('openssl', 'pkeyutl', '-encrypt', '-pubin', '-inkey', 'token/public.pem', ...oaep, ...files);
    return ['openssl', 'pkeyutl', '-decrypt', '-inkey', 'token/private.pem', ...oaep, '-in', 'master.wrapped'];
  }

  it('opens what was sealed with it, and lies on no disk', () => {
    const master = readFileSync(at('master.key'));
    say(wrapped());
    rmSync(at('master.key'));
    assert.equal(opened(), code);
    for (const file of readdirSync(folder.path).filter((name) => name !== 'token')) {
      assert.ok(!readFileSync(at(file)).includes(master), file);
    }
    assert.ok(!existsSync(at('master.key')), 'none is made in its place');
  });

  it('is not asked for beside one in clear, nor of a command that others may change', () => {
    say(wrapped());
    assert.throws(opened, /master\.key lies in clear/);
    rmSync(at('master.key'));
    chmodSync(at('master.json'), 0o622);
    assert.throws(opened, /chmod 600/);
  });

  it('is none where the command fails, gives something else, or another key', () => {
    rmSync(at('master.key'));
    const node = (script: string): string[] => [process.execPath, '-e', script];
    const write = (bytes: number): string[] => node(`process.stdout.write(Buffer.alloc(${bytes}, 7))`);
    const wrong: [unknown, RegExp][] = [
      [node('console.log("SECRETPIN"); process.exit(3)'), /\(exit code 3\)$/],
      [['no-such-program'], /ENOENT/],
      [write(MASTER_BYTES - 1), /31 bytes/],
      [write(MASTER_BYTES + 1), /33 bytes/],
      [write(1_000), /ENOBUFS|1000 bytes/],
      [[], /is written/],
      ['pkcs11-tool', /is written/],
      [['a', 7], /is written/],
    ];
    for (const [unwrap, expected] of wrong) {
      say(unwrap);
      assert.throws(opened, (error: Error) => expected.test(error.message) && !error.message.includes('SECRETPIN'));
    }
    say(write(MASTER_BYTES));
    assert.throws(opened, /unable to authenticate|Unsupported state/);
  });

  it('comes from a PKCS#11 token', function () {
    if (!hasToken) this.skip();
    mkdirSync(at('tokens'));
    writeFileSync(at('softhsm2.conf'), `directories.tokendir = ${at('tokens')}\n`);
    process.env['SOFTHSM2_CONF'] = at('softhsm2.conf');
    process.env['TEST_TOKEN_PIN'] = '1234';
    try {
      run('softhsm2-util', '--init-token', '--free', '--label', 'salus', '--pin', '1234', '--so-pin', '5678');
      const token = ['--module', MODULE, '--login', '--pin', 'env:TEST_TOKEN_PIN', '--id', '01'];
      run('pkcs11-tool', ...token, '--keypairgen', '--key-type', 'rsa:2048', '--label', 'salus');
      run('pkcs11-tool', ...token, '--read-object', '--type', 'pubkey', '--output-file', 'public.der');
      const oaep = ['-keyform', 'DER', '-pkeyopt', 'rsa_padding_mode:oaep'];
      const files = ['-in', 'master.key', '-out', 'master.wrapped'];
      run('openssl', 'pkeyutl', '-encrypt', '-pubin', '-inkey', 'public.der', ...oaep, ...files);
      const how = ['-m', 'RSA-PKCS-OAEP', '--hash-algorithm', 'SHA-1', '--input-file', 'master.wrapped'];
      say(['pkcs11-tool', ...token, '--decrypt', ...how]);
      rmSync(at('master.key'));
      assert.equal(opened(), code);
      process.env['TEST_TOKEN_PIN'] = '4321';
      assert.throws(opened, /did not unwrap/);
    } finally {
      delete process.env['SOFTHSM2_CONF'];
      delete process.env['TEST_TOKEN_PIN'];
    }
  });
});
