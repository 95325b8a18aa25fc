/**
 * A master key that a PKCS#11 token or a KMS unwraps: `master.json` in the member's folder of data names the command that
 * does so (`{"unwrap": ["pkcs11-tool", ...]}`, started in that folder without a shell), which writes the 32 bytes to its
 * standard output. They are held in memory alone.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Bytes of a master key. */
export const MASTER_BYTES = 32;
/** How long a token or a KMS may take, ms. */
const UNWRAP_MS = 30_000;
const OTHERS_WRITE = 0o022;

/**
 * The key that the folder's `master.json` leads to; undefined where there is none. Throws where others may change what is
 * run, where the key lies beside it in clear, and where the command gives no key.
 */
export function commandedMaster(folder: string): Buffer | undefined {
  const file = join(folder, 'master.json');
  if (!existsSync(file)) return undefined;
  if ((statSync(file).mode & OTHERS_WRITE) !== 0) throw new Error(`${file} may be changed by others: chmod 600 it`);
  if (existsSync(join(folder, 'master.key'))) {
    throw new Error(`master.key lies in clear beside ${file}: destroy it once the command unwraps the same key`);
  }
  const [program = '', ...args] = commandIn(file);
  const { status, stdout, error } = spawnSync(program, args, {
    ...{ cwd: folder, timeout: UNWRAP_MS, maxBuffer: 2 * MASTER_BYTES },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  // What it printed is not shown: it may be the key, or the PIN.
  if (error !== undefined || status !== 0) {
    const why = (error as NodeJS.ErrnoException | undefined)?.code ?? `exit code ${String(status)}`;
    throw new Error(`${program} of ${file} did not unwrap the master key (${why})`);
  }
  if (stdout.length === MASTER_BYTES) return stdout;
  throw new Error(`${program} of ${file} gave ${stdout.length} bytes, and a master key has ${MASTER_BYTES}`);
}

function commandIn(file: string): readonly string[] {
  const problem = new Error(`${file} is written {"unwrap": ["program", "argument", ...]}`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw problem;
  }
  const { unwrap } = (parsed ?? {}) as { readonly unwrap?: unknown };
  if (Array.isArray(unwrap) && unwrap.length > 0 && unwrap.every((each) => typeof each === 'string' && each !== '')) {
    return unwrap as readonly string[];
  }
  throw problem;
}
