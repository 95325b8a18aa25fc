import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ChaincodeOptions } from './chaincode/main.js';

const MAIN = fileURLToPath(new URL('./chaincode/main.js', import.meta.url));

/** The test chaincode running as a service of its own. */
export class ChaincodeProcess {
  private constructor(private readonly child: ChildProcess) {}

  /** Starts it and waits until it serves. */
  static async start(options: ChaincodeOptions): Promise<ChaincodeProcess> {
    const child = spawn(process.execPath, [MAIN, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      // The shim writes its log to standard output and, at its usual level, formats every message.
      env: { ...process.env, CORE_CHAINCODE_LOGGING_SHIM: 'CRITICAL', CORE_CHAINCODE_LOGGING_LEVEL: 'CRITICAL' },
    });
    const lines = createInterface({ input: child.stdout });
    for await (const line of lines) {
      if (line === '{"ready":true}') return new ChaincodeProcess(child);
    }
    throw new Error(`the test chaincode ended before it served (exit code ${child.exitCode})`);
  }

  /** Ends it at once, as a crash would. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }
}
