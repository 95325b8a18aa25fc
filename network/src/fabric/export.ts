import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { CommandError } from '../command.js';
import { memberComposeFile } from '../compose/compose.js';
import { rewrite, writePublic } from '../identity/files.js';
import { layout, mspFiles, tlsFiles } from '../identity/layout.js';
import { hasLog, markLogLost } from '../lost-log.js';
import { markExported, type NetworkFile, readNetwork } from '../prepare.js';
import type { Topology } from '../topology/model.js';

/** What grows while a member's nodes run: its peers, its gateways and its orderer begin with none of it. */
const GROWS = new Set(['ledger', 'data']);

/**
 * Writes the folder that a member needs on its own machine: its keys and no other's, the channel's block 0 and the
 * definition, the addresses and roots of all, its compose file and a README. Nodes start from it with no other folder
 * at hand. Throws a CommandError for a folder that holds something already, or a member whose keys are elsewhere.
 */
export function exportMember(stateDir: string, name: string, target: string): void {
  const network = readNetwork(stateDir);
  const { topology } = network;
  requireKeys(stateDir, network, name);
  const to = emptyFolder(target);
  copyOwn(stateDir, to, name);
  copyPublic(network, stateDir, to);
  if (hasLog(stateDir, name)) markLogLost(to, name, `it stayed in ${resolve(stateDir)}`);
  rewritePaths(to, resolve(stateDir));
  markExported(to, name);
  writePublic(join(to, 'docker-compose.yaml'), memberComposeFile(topology, name));
  writePublic(join(to, 'README.md'), readme(topology, name));
}

/** The absolute path of a folder to write to, which is made. Throws a CommandError when it cannot be, or holds something. */
export function emptyFolder(target: string): string {
  const to = resolve(target);
  try {
    mkdirSync(to, { recursive: true });
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    throw new CommandError(`${to} cannot be made (${code}): name another folder`);
  }
  if (readdirSync(to).length > 0) throw new CommandError(`${to} is not empty: name another folder`);
  return to;
}

/** Throws a CommandError unless the folder is of a network whose members' parts can stand alone, and holds this one's keys. */
function requireKeys(stateDir: string, { topology, material }: NetworkFile, name: string): void {
  if (!topology.members.some((member) => member.name === name)) throw new CommandError(`no member is named ${name}`, 2);
  const own = material.members.find((member) => member.name === name);
  if (own !== undefined && existsSync(mspFiles(own.adminMspDir).key)) return;
  throw new CommandError(`the keys of ${name} are not in ${stateDir}: only who has them can export them`, 2);
}

function copyOwn(stateDir: string, to: string, name: string): void {
  for (const place of [layout.member, layout.orderer]) {
    const from = place(stateDir, name);
    if (!existsSync(from)) continue;
    cpSync(from, place(to, name), {
      recursive: true,
      filter: (path) => !(GROWS.has(basename(path)) && dirname(path) === from),
    });
  }
}

/** What everybody may have: block 0, the definition, addresses and roots, and the orderers' TLS certificates. */
export function copyPublic({ material }: NetworkFile, stateDir: string, to: string): void {
  const files = [layout.network(stateDir), layout.genesis(stateDir), layout.definition(stateDir)];
  for (const { orderer } of material.members) if (orderer) files.push(tlsFiles(orderer.tlsDir).cert);
  for (const file of files) copy(file, join(to, relative(stateDir, file)));
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to);
}

/** Names the files of a copied folder by its own path: settings hold absolute ones. */
export function rewritePaths(folder: string, from: string): void {
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!/(settings|network)\.json$|\.yaml$/.test(file)) continue;
    const path = join(folder, file);
    rewrite(path, readFileSync(path, 'utf8').replaceAll(from, folder));
  }
}

function readme({ chaincode, channel }: Topology, name: string): string {
  return `# ${name} of channel ${channel}

This folder holds the keys of ${name} and of nobody else, its authorities' too. Keep it, and nobody else may read it. Whoever made it had
them as well: see that the folder it was made from is deleted, or let \`request\` make your keys here (docs/fabric.md).

Natively, with Salus ${chaincode.version} and Hyperledger Fabric's programs on this machine:

    SALUS_STATE=<this folder> npm start -- --engine fabric

starts the peers, the orderer if it has one, the chaincode and the gateways of ${name}, joins the channel, and approves the
chaincode's definition. What the other members agree on it waits for.

In containers, from the folder of Salus's sources:

    SALUS_STATE=<this folder> npm run salus -- containers

which says how to go on: nodes of ${name} alone, on this machine's own network, with this folder under its own path.

\`npm run salus -- revoke\`, \`rotate\`, \`countersign\` and \`apply\` work from here with \`SALUS_STATE=<this folder>\` while the nodes run.
They start no container again. Where they say that you are to, and for a node to take a new certificate:

    SALUS_STATE=<this folder> npm run salus -- containers
    docker compose --project-directory . --env-file <this folder>/.env --file <this folder>/docker-compose.yaml restart NODE

with NODE such as peer0.${name} or orderer.${name}.

Settings name the other members' nodes by the addresses of the topology file: give their machines' names there (\`host\`)
before the folder is made.
`;
}
