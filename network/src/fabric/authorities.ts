import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { authorityProcessesOf, joiningProcessesOf } from '../commands/run-file.js';
import { writeSecret } from '../identity/files.js';
import { readCredentials } from '../identity/fabric-ca/registrar.js';
import { ensureTls } from '../identity/issue.js';
import { type KeyFiles, layout, tlsFiles } from '../identity/layout.js';
import { ensureAuthorities } from '../identity/material.js';
import { readNetwork } from '../prepare.js';
import type { FabricCaServer, Member, Topology } from '../topology/model.js';
import { ProcessGroup } from './processes.js';
import { findFabricCaServer, type SearchPlaces } from './programs.js';
import { fill } from './render.js';

const CONFIG_FILE = 'fabric-ca-server-config.yaml';
const REGISTRAR = 'registrar';
const SECRET_BYTES = 32;

/** The Fabric CA servers that a native network runs for its members. */
export interface RunningAuthorities {
  /** Process ids by name, such as fabric-ca.stmary. */
  readonly pids: ReadonlyMap<string, number>;
  /** Resolves with a sentence when one that nobody stopped ends again and again. */
  readonly failed: Promise<string>;
  stop(): Promise<void>;
}

/** A member with the Fabric CA server that the native network starts for it. */
type Served = Member & { readonly fabricCa: FabricCaServer & { readonly listens: { host: string; port: number } } };

/** Members for which the native network starts a Fabric CA server. */
export function servedMembers({ members }: Topology): Served[] {
  return members.filter((member): member is Served => member.fabricCa?.listens !== undefined);
}

interface AuthorityOptions {
  /** Where they are remembered. */
  readonly recordFile?: string;
  /** Told of each that ended, and of its return. */
  readonly onEnd?: (line: string) => void;
}

/**
 * Starts these servers, each with the roots of the member's built-in authorities; identities are enrolled once they
 * listen. Throws a CommandError where the program is missing or a port is in use.
 */
export async function startAuthorities(
  topology: Topology,
  stateDir: string,
  places: SearchPlaces,
  { recordFile = authorityProcessesOf(stateDir), onEnd = () => undefined }: AuthorityOptions = {},
): Promise<RunningAuthorities> {
  const processes = new ProcessGroup(recordFile);
  const served = servedMembers(topology);
  const command = served.length > 0 ? await findFabricCaServer(places) : '';
  try {
    for (const member of served) {
      const home = await writeHome(member, stateDir);
      await processes.start({
        name: `fabric-ca.${member.name}`,
        command,
        args: ['start', '--home', home],
        environment: { PATH: places.path ?? '' },
        logFile: join(stateDir, 'log', `fabric-ca.${member.name}.log`),
        listens: [`${member.fabricCa.listens.host}:${member.fabricCa.listens.port}`],
      });
    }
    await processes.listening();
  } catch (error) {
    await processes.stop();
    throw error;
  }
  processes.keep(onEnd);
  return { pids: processes.pids(), failed: processes.failed, stop: () => processes.stop() };
}

/**
 * Does something while the servers of members run that the running network does not know yet: those who join have their
 * first identities from them. The next start of the network runs them with the others.
 */
export async function whileJoiningServed<T>(
  topology: Topology,
  stateDir: string,
  places: SearchPlaces,
  work: () => Promise<T>,
): Promise<T> {
  const known = new Set(readNetwork(stateDir).topology.members.map(({ name }) => name));
  const members = topology.members.filter(({ name }) => !known.has(name));
  const authorities = await startAuthorities({ ...topology, members }, stateDir, places, {
    recordFile: joiningProcessesOf(stateDir),
  });
  try {
    return await work();
  } finally {
    await authorities.stop();
  }
}

/** Writes the server's home: its configuration, its TLS certificate, and its registrar's credentials. */
async function writeHome(member: Served, stateDir: string): Promise<string> {
  const dir = layout.member(stateDir, member.name);
  const home = layout.fabricCaServer(dir);
  const { tls } = await ensureAuthorities(dir, member.name);
  const { host, port } = member.fabricCa.listens;
  const tlsDir = join(home, 'tls');
  const subject = { organisation: member.name, name: `fabric-ca.${member.name}` };
  await ensureTls(tlsDir, tls, subject, [...new Set([host, '127.0.0.1', 'localhost', subject.name])]);
  const { cert, key, ca } = tlsFiles(tlsDir);
  const registrar = ensureRegistrar(dir);
  const further = await writeOrdererAuthority(member, stateDir, home, registrar);
  const server = { host, port: String(port), tlsCert: cert, tlsKey: key, tlsCa: ca, furtherFiles: further };
  const own = authorityConfig(member.fabricCa.name, layout.authority(dir), registrar);
  writeSecret(join(home, CONFIG_FILE), fill('fabric-ca-server.yaml', server) + own);
  return home;
}

/** The orderer's organisation has a root of its own: a second authority of the same server. */
async function writeOrdererAuthority(member: Served, stateDir: string, home: string, registrar: Registrar) {
  const { ordererName } = member.fabricCa;
  if (!member.orderer || ordererName === undefined) return [];
  const dir = layout.orderer(stateDir, member.name);
  await ensureAuthorities(dir, `${member.name}-orderer`);
  const file = join(home, 'orderer', CONFIG_FILE);
  writeSecret(file, authorityConfig(ordererName, layout.authority(dir), registrar));
  return [file];
}

type Registrar = ReturnType<typeof readCredentials>;

function ensureRegistrar(dir: string): Registrar {
  const file = layout.fabricCaRegistrar(dir);
  if (!existsSync(file)) {
    const secret = randomBytes(SECRET_BYTES).toString('hex');
    writeSecret(file, `${JSON.stringify({ name: REGISTRAR, secret })}\n`);
  }
  return readCredentials(file);
}

function authorityConfig(name: string, { cert, key }: KeyFiles, registrar: Registrar): string {
  const values = { name, certificate: cert, key, registrar: registrar.name, secret: registrar.secret };
  return fill('fabric-ca.yaml', values);
}
