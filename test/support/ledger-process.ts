/** The embedded ledger as a process of its own, as `npm start` runs it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { projectRoot } from './shared.js';

const MAIN = join(projectRoot, 'network', 'dist', 'embedded', 'main.js');

/** What the process said when it was ready. */
export interface ReadyLine {
  readonly ready: boolean;
  readonly engine: string;
  readonly channel: string;
  readonly chaincode: string;
  readonly sequence: number;
  readonly height: number;
}

/** How a process ended that did not become ready. */
export interface Ended {
  readonly code: number | null;
  readonly log: string;
}

/** A ledger process that is ready. */
export class LedgerProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly said: ReadyLine,
  ) {}

  /** Starts it; how it ended when it did not become ready. */
  static async start(
    stateDir: string,
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): Promise<LedgerProcess | Ended> {
    const child = spawn(process.execPath, [MAIN, stateDir, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    let log = '';
    child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
    const ended = once(child, 'close');
    for await (const line of createInterface({ input: child.stdout })) {
      return new LedgerProcess(child, JSON.parse(line) as ReadyLine);
    }
    const [code] = (await ended) as [number | null];
    return { code, log };
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Ends it by a signal; the exit code, null when the signal killed it. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    const ended = once(this.child, 'exit') as Promise<[number | null]>;
    this.child.kill(signal);
    return (await ended)[0];
  }
}
