import { join, resolve } from 'node:path';
import { type Command, CommandError, type CommandInput, type CommandIo } from '../command.js';
import { loadTopology } from '../topology.js';
import { explained, requireFabric, searchPlaces } from './running-fabric.js';

const MEMBER = { flags: '--member <name>', summary: 'which member', required: true };
const FOLDER = { name: 'folder', summary: 'of the proposed change', required: true };

/** `salus join`: writes a proposed change that members countersign. */
export const joinChannel: Command = {
  name: 'join',
  summary: 'propose that a member, already in the topology file, joins the running channel',
  options: [MEMBER],
  async run(input, io) {
    const name = String(input.options['member']);
    if (!isMember(io, name)) {
      throw new CommandError(`${io.topologyFile} has no member ${name}: add it at the end, then repeat`);
    }
    return proposeChange(io, `join-${name}`);
  },
};

/** `salus leave`: writes a proposed change that members countersign. */
export const leave: Command = {
  name: 'leave',
  summary: 'propose that a member, marked `left: true` in the topology file, leaves the running channel',
  options: [MEMBER],
  async run(input, io) {
    const name = String(input.options['member']);
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
  run: (_input, io) => proposeChange(io, `change-${Date.now()}`),
};

/** `salus countersign <folder>`: shows the change to whoever signs it. */
export const countersign: Command = {
  name: 'countersign',
  summary: "print what a proposed change does, and add a member's signature to it",
  arguments: [FOLDER],
  options: [MEMBER],
  async run(input, io) {
    const { changesIn, countersign: add } = await import('../fabric/proposal.js');
    const folder = folderOf(input);
    for (const line of changesIn(folder)) io.out(line);
    add(io.stateDir, folder, String(input.options['member']));
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
    requireFabric(io.stateDir);
    const { applyProposal } = await import('../fabric/proposal.js');
    const sequence = await explained(applyProposal(io.stateDir, folderOf(input)));
    io.out(`in force at every peer; the chaincode's definition is at sequence ${sequence}`);
    return 0;
  },
};

async function proposeChange(io: CommandIo, name: string): Promise<number> {
  requireFabric(io.stateDir);
  const { propose: make } = await import('../fabric/proposal.js');
  const topology = loadTopology(io.topologyFile);
  const update = join(io.stateDir, 'updates', name);
  const { folder, changes } = await explained(make(io.stateDir, topology, update, { places: searchPlaces() }));
  for (const line of changes) io.out(line);
  io.out(`proposed in ${folder}; a majority of members signs it: salus countersign ${folder} --member NAME`);
  io.out(`then one of them: salus apply ${folder}`);
  return 0;
}

function isMember({ topologyFile }: CommandIo, name: string): boolean {
  return loadTopology(topologyFile).members.some((member) => member.name === name);
}

function folderOf({ args }: CommandInput): string {
  return resolve(args[0] ?? '');
}
