import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { CommandError } from '../command.js';

const run = promisify(execFile);

/** Fabric's programs that a native network needs. */
export const PROGRAMS = ['peer', 'orderer'] as const;
/** The name of one of Fabric's programs that a native network needs. */
export type Program = (typeof PROGRAMS)[number];
/** The path of each program. */
export type Programs = Readonly<Record<Program, string>>;

/** The oldest release with everything we ask of it. */
const OLDEST = [2, 5, 9] as const;
/** Fabric CA's server, for members whose topology asks for one to be started. */
const FABRIC_CA_SERVER = 'fabric-ca-server';
const OLDEST_FABRIC_CA = [1, 5, 0] as const;
const VERSION_TIMEOUT_MS = 10_000;

/** Where programs are looked for, in this order. */
export interface SearchPlaces {
  /** SALUS_FABRIC_BIN: looked into first. */
  readonly folder?: string | undefined;
  /** PATH. */
  readonly path?: string | undefined;
}

/** Finds Fabric's programs and checks their versions. Throws a CommandError that says what to do. */
export async function findPrograms(places: SearchPlaces): Promise<Programs> {
  const folders = foldersOf(places);
  const found = { peer: locate('peer', folders), orderer: locate('orderer', folders) };
  const missing = PROGRAMS.filter((program) => found[program] === undefined);
  const { peer, orderer } = found;
  if (peer === undefined || orderer === undefined) throw new CommandError(absent(missing, places));
  await Promise.all([checkVersion('peer', peer, OLDEST), checkVersion('orderer', orderer, OLDEST)]);
  return { peer, orderer };
}

/** Finds Fabric CA's server and checks its version. Throws a CommandError that says what to do. */
export async function findFabricCaServer(places: SearchPlaces): Promise<string> {
  const file = locate(FABRIC_CA_SERVER, foldersOf(places));
  if (file === undefined) {
    throw new CommandError(
      `Hyperledger Fabric CA's ${FABRIC_CA_SERVER} not found ${whereOf(places)}; the topology has the native network ` +
        'start it for a member (fabricCa). How to get it: https://hyperledger-fabric-ca.readthedocs.io; ' +
        "without the key, the built-in authority issues that member's identities",
    );
  }
  await checkVersion(FABRIC_CA_SERVER, file, OLDEST_FABRIC_CA);
  return file;
}

function foldersOf({ folder, path }: SearchPlaces): string[] {
  return [...(folder ? [folder] : []), ...(path ?? '').split(delimiter)].filter(Boolean);
}

function whereOf({ folder }: SearchPlaces): string {
  return folder ? `in SALUS_FABRIC_BIN (${folder}) or on PATH` : 'on PATH; SALUS_FABRIC_BIN is not set';
}

function locate(program: string, folders: readonly string[]): string | undefined {
  return folders
    .map((folder) => join(folder, program))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

function absent(missing: readonly Program[], places: SearchPlaces): string {
  return (
    `Hyperledger Fabric's ${missing.join(' and ')} not found ${whereOf(places)}. How to get it: "Install Fabric and Fabric ` +
    'Samples" in https://hyperledger-fabric.readthedocs.io/en/release-2.5/install.html; then set SALUS_FABRIC_BIN to ' +
    'its bin folder. The embedded ledger needs none of it: npm start'
  );
}

async function checkVersion(program: string, file: string, oldest: readonly number[]): Promise<void> {
  const version = await versionOf(file);
  if (!version) throw new CommandError(`${file} does not say its version: is it Hyperledger Fabric's ${program}?`);
  if (compare(version, oldest) < 0) {
    throw new CommandError(`${file} is ${version.join('.')}: Salus needs ${oldest.join('.')} or later`);
  }
}

async function versionOf(file: string): Promise<number[] | undefined> {
  const { stdout } = await run(file, ['version'], { timeout: VERSION_TIMEOUT_MS }).catch(() => ({ stdout: '' }));
  const [, text] = /Version:\s*v?(\d+\.\d+\.\d+)/.exec(stdout) ?? [];
  return text?.split('.').map(Number);
}

function compare(left: readonly number[], right: readonly number[]): number {
  const [difference = 0] = left.map((part, index) => part - (right[index] ?? 0)).filter((part) => part !== 0);
  return difference;
}
