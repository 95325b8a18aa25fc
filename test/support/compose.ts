/** docker-compose.yaml as tests read it, and Compose's own program where it is on the machine. */
import { execFileSync } from 'node:child_process';

/** A service of the file. */
export interface Service {
  readonly image: string;
  readonly user: string;
  readonly read_only: boolean;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly networks?: readonly string[];
  readonly ports?: readonly string[];
  readonly cap_drop: readonly string[];
  readonly healthcheck?: object;
}

/** The file. */
export interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** Has Compose's own program check a file; throws what it says. Pending where it is not on this machine. */
export function checkedByCompose(test: Mocha.Context, args: readonly string[]): void {
  try {
    execFileSync('docker-compose', [...args, 'config', '--quiet'], { stdio: 'pipe' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    test.test!.title += ' (pending: docker-compose is not on this machine)';
    test.skip();
  }
}
