/** A whole consortium for a test: the processes that `npm start` runs, on ports of its own, with state in a folder of its own. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type TokenWish, mintToken } from '@salus/gateway/commands/token';
import { type RunningConsortium, bringUp } from '@salus/network/commands/bring-up';
import { fabricProcessesOf, type RecordedProcess } from '@salus/network/commands/run-file';
import { DEFAULT_TOPOLOGY_FILE, type TopologyOverrides } from '@salus/network/topology';
import { engineName } from './engine.js';
import { freePortBase } from './free-ports.js';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body; an empty object when it is not JSON. */
  readonly body: FhirBody;
}

/** As much of a FHIR resource as tests look at. */
export interface FhirBody {
  readonly resourceType?: string;
  readonly id?: string;
  readonly total?: number;
  readonly entry?: readonly { readonly resource?: FhirBody; readonly response?: { readonly status: string } }[];
  readonly [element: string]: unknown;
}

export interface AskOptions {
  readonly method?: string;
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TestNetwork {
  readonly stateDir: string;
  readonly consortium: RunningConsortium;
  /** Base URL of a member's FHIR interface. */
  fhir(member: string): string;
  /** A bearer token of the member's development issuer. */
  token(wish: TokenWish): Promise<string>;
  /** Asks a member's gateway; `path` is below the FHIR base, or from the origin when it starts with `/`. */
  ask(member: string, path: string, options?: AskOptions): Promise<Answer>;
  /** Every process by name, as `gateways` or `peer0.stmary`; the nodes are one `ledger` on the embedded ledger. */
  processes(): readonly Pick<RecordedProcess, 'name' | 'pid'>[];
  /** kill -9 of every process. */
  kill(): Promise<void>;
  /** Lets every peer and orderer stand still, or go on. */
  standStill(still: boolean): void;
  stop(): Promise<void>;
}

export interface NetworkWish {
  /** State of an earlier network to go on from; absent = a new one that stop() deletes. */
  readonly stateDir?: string;
  readonly portBase?: number;
  /** Another topology than the default one. */
  readonly topologyFile?: string;
  readonly overrides?: TopologyOverrides;
  readonly env?: Readonly<Record<string, string>>;
  /** Shift of all of the network's clocks, ms. */
  readonly clockOffsetMs?: number;
}

/** Brings a network up; resolves when every gateway answers. */
export async function startNetwork(wish: NetworkWish = {}): Promise<TestNetwork> {
  const stateDir = wish.stateDir ?? mkdtempSync(join(tmpdir(), 'salus-test-'));
  const portBase = wish.portBase ?? (await freePortBase());
  const consortium = await bringUp({
    engine: engineName,
    stateDir,
    topologyFile: wish.topologyFile ?? DEFAULT_TOPOLOGY_FILE,
    overrides: { portBase, ...wish.overrides },
    progress: () => undefined,
    ...(wish.env === undefined ? {} : { env: wish.env }),
    ...(wish.clockOffsetMs === undefined ? {} : { clockOffsetMs: wish.clockOffsetMs }),
  });
  const fhir = (member: string): string => endpoint(consortium, member);
  const processes = () => [...consortium.children, ...fabricNodes(stateDir)];
  return {
    stateDir,
    consortium,
    fhir,
    token: (tokenWish) => mintToken(stateDir, tokenWish),
    ask: (member, path, options = {}) => ask(fhir(member), path, options),
    processes,
    kill: async () => {
      for (const { pid } of processes()) process.kill(pid, 'SIGKILL');
      await consortium.stop();
    },
    standStill: (still) => {
      const embedded = consortium.children.filter(({ name }) => name === 'ledger');
      const nodes = consortium.engine === 'embedded' ? embedded : fabricNodes(stateDir);
      for (const { pid } of nodes) process.kill(pid, still ? 'SIGSTOP' : 'SIGCONT');
    },
    stop: async () => {
      await consortium.stop();
      if (wish.stateDir === undefined) rmSync(stateDir, { recursive: true, force: true });
    },
  };
}

/** A network for the suite in whose body this is called: there before its first test, gone after its last. */
export function networkOfSuite(wish?: NetworkWish): TestNetwork {
  const network: Partial<TestNetwork> = {};
  before(async function () {
    this.timeout(240_000);
    Object.assign(network, await startNetwork(wish));
  });
  after(async function () {
    this.timeout(60_000);
    await network.stop?.();
  });
  return network as TestNetwork;
}

/** The nodes of a native Fabric network; none on the embedded ledger. */
function fabricNodes(stateDir: string): RecordedProcess[] {
  const file = fabricProcessesOf(stateDir);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as RecordedProcess[]) : [];
}

function endpoint(consortium: RunningConsortium, member: string): string {
  const found = consortium.endpoints.members[member];
  if (found === undefined) throw new Error(`no member ${member}`);
  return found.fhir;
}

async function ask(base: string, path: string, options: AskOptions): Promise<Answer> {
  const url = path.startsWith('/') ? new URL(path, base) : new URL(path === '' ? base : `${base}/${path}`);
  const headers: Record<string, string> = { accept: 'application/fhir+json', ...options.headers };
  if (options.token !== undefined) headers['authorization'] = `Bearer ${options.token}`;
  if (options.body !== undefined) headers['content-type'] ??= 'application/fhir+json';
  const response = await fetch(url, {
    method: options.method ?? (options.body === undefined ? 'GET' : 'POST'),
    headers,
    ...(options.body === undefined
      ? {}
      : { body: typeof options.body === 'string' ? options.body : JSON.stringify(options.body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: parsed(text) };
}

function parsed(text: string): FhirBody {
  try {
    return JSON.parse(text) as FhirBody;
  } catch {
    return {};
  }
}
