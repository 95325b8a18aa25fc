import { join, resolve } from 'node:path';
import { type Command, CommandError, type CommandInput, type CommandIo } from '../command.js';
import type { Agreement } from '../fabric/agreement.js';
import type { ChannelProposal } from '../fabric/proposal.js';
import { isExported } from '../prepare.js';
import { loadTopology } from '../topology.js';
import { explained, requireFabric, searchPlaces } from './running-fabric.js';

const MEMBER = { flags: '--member <name>', summary: 'which member', required: true };
const FOLDER = { name: 'folder', summary: 'of the proposed change', required: true };

/** `salus request`: what a member with a folder of its own hands to those who are to let it in. */
export const request: Command = {
  name: 'request',
  summary: "make a member's keys in a folder of its own, and write what the others need to let it in",
  arguments: [{ name: 'folder', summary: 'where to write it', required: true }],
  options: [MEMBER],
  async run(input, io) {
    const name = requireEntry(io, String(input.options['member']));
    const { requestMembership } = await import('../fabric/apart.js');
    const folder = folderOf(input);
    const roots = await requestMembership(io.stateDir, loadTopology(io.topologyFile), name, folder);
    for (const line of roots) io.out(line);
    io.out(`wrote ${folder}; a member proposes it: salus join --member ${name} --request ${folder}`);
    return 0;
  },
};

/** `salus join`: writes a proposed change that members countersign. */
export const joinChannel: Command = {
  name: 'join',
  summary: 'propose that a member, already in the topology file or by its request, joins the running channel',
  options: [MEMBER, { flags: '--request <folder>', summary: 'what the member wrote with: salus request' }],
  async run(input, io) {
    const name = String(input.options['member']);
    const from = input.options['request'];
    if (isExported(io.stateDir)) {
      if (typeof from !== 'string') {
        throw new CommandError(
          `this folder is one member's: ${name} writes a request (salus request), give it as --request`,
          2,
        );
      }
      const { proposeRequest } = await import('../fabric/apart.js');
      return proposed(io, `join-${name}`, (folder) => proposeRequest(io.stateDir, { name, from }, folder));
    }
    if (from !== undefined)
      throw new CommandError('requests are for members with folders of their own: leave --request out', 2);
    requireEntry(io, name);
    return proposeChange(io, `join-${name}`);
  },
};

/** `salus leave`: writes a proposed change that members countersign. */
export const leave: Command = {
  name: 'leave',
  summary:
    'propose that a member leaves the running channel; where all are in one folder, it is marked `left: true` before',
  options: [MEMBER],
  async run(input, io) {
    const name = String(input.options['member']);
    if (isExported(io.stateDir)) {
      const { proposeLeave } = await import('../fabric/apart.js');
      return proposed(io, `leave-${name}`, (folder) => proposeLeave(io.stateDir, name, folder));
    }
    if (isMember(io, name)) {
      throw new CommandError(`give member ${name} the line "left: true" in ${io.topologyFile}, then repeat`);
    }
    return proposeChange(io, `leave-${name}`);
  },
};

/** `salus propose`: writes what the topology file changed as a proposed change. */
export const propose: Command = {
  name: 'propose',
  summary: 'propose what else changed in the topology file: orderers (one at a time), peers',
  async run(_input, io) {
    const name = `change-${Date.now()}`;
    if (!isExported(io.stateDir)) return proposeChange(io, name);
    const { proposeOwn } = await import('../fabric/apart.js');
    return proposed(io, name, (folder) => proposeOwn(io.stateDir, loadTopology(io.topologyFile), folder));
  },
};

/** `salus countersign <folder>`: shows the change to whoever signs it. */
export const countersign: Command = {
  name: 'countersign',
  summary: "print what a proposed change does, and add a member's signature to it",
  arguments: [FOLDER],
  options: [MEMBER],
  async run(input, io) {
    const { countersign: add } = await import('../fabric/proposal.js');
    await explained(
      add(io.stateDir, folderOf(input), String(input.options['member']), (line) => {
        io.out(line);
      }),
    );
    io.out('signed');
    return 0;
  },
};

/** `salus apply <folder>`; the orderers refuse a change that too few have signed. */
export const apply: Command = {
  name: 'apply',
  summary: 'have the orderers take a proposed change that a majority has signed',
  arguments: [FOLDER],
  async run(input, io) {
    const folder = folderOf(input);
    if (isExported(io.stateDir)) return applyHere(io, folder);
    requireFabric(io.stateDir);
    const { applyProposal } = await import('../fabric/proposal.js');
    const sequence = await explained(
      applyProposal(io.stateDir, folder, (line) => {
        io.out(line);
      }),
    );
    io.out(`in force at every peer; the chaincode's definition is at sequence ${sequence}`);
    return finished(io);
  },
};

async function applyHere(io: CommandIo, folder: string): Promise<number> {
  const { applyApart } = await import('../fabric/apart.js');
  const applied = applyApart(io.stateDir, folder, (line) => {
    io.out(line);
  });
  const { isNewcomer, ...agreement } = await explained(applied);
  if (isNewcomer) io.out('this folder is ready; start it with: npm start -- --engine fabric');
  else {
    io.out('the configuration is in force');
    io.out(agreed(agreement));
  }
  return isNewcomer ? 0 : finished(io);
}

/** An orderer whose new key the change was about takes it into use. */
async function finished(io: CommandIo): Promise<number> {
  const { finishRotations } = await import('../fabric/rotate.js');
  for (const line of await explained(finishRotations(io.stateDir))) io.out(line);
  return 0;
}

/** What a member is told of a definition that it has approved. */
export function agreed({ sequence, isInForce, missing }: Agreement): string {
  if (isInForce) return `the chaincode's definition is in force at sequence ${sequence}`;
  return `the definition of sequence ${sequence} waits for the approval of: ${missing.join(' ')}; each does the same in its own folder`;
}

async function proposeChange(io: CommandIo, name: string): Promise<number> {
  const { propose: make } = await import('../fabric/proposal.js');
  const topology = loadTopology(io.topologyFile);
  return proposed(io, name, (folder) => make(io.stateDir, topology, folder, { places: searchPlaces() }));
}

/** Has a change written, and says what it does and how it goes on. */
export async function proposed(
  io: CommandIo,
  name: string,
  make: (folder: string) => Promise<ChannelProposal>,
): Promise<number> {
  requireFabric(io.stateDir);
  const { folder, changes } = await explained(make(join(io.stateDir, 'updates', name)));
  for (const line of changes) io.out(line);
  io.out(`proposed in ${folder}; a majority of members signs it: salus countersign ${folder} --member NAME`);
  io.out(`then one of them, or each in a folder of its own: salus apply ${folder}`);
  return 0;
}

function requireEntry(io: CommandIo, name: string): string {
  if (isMember(io, name)) return name;
  throw new CommandError(`${io.topologyFile} has no member ${name}: add it at the end, then repeat`);
}

function isMember({ topologyFile }: CommandIo, name: string): boolean {
  return loadTopology(topologyFile).members.some((member) => member.name === name);
}

function folderOf({ args }: CommandInput): string {
  return resolve(args[0] ?? '');
}
