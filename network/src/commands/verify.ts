import { existsSync, readFileSync } from 'node:fs';

import { type Command, CommandError, type CommandIo } from '../command.js';
import { readGenesis } from '../config/channel-files.js';
import type { Endpoints } from '../endpoints.js';
import { layout } from '../identity/layout.js';
import type { ChainReport } from '../verify/chain.js';

/** `salus verify`; exit code 1 with a sentence for each finding when the chain is not what it says it is. */
export const verify: Command = {
  name: 'verify',
  summary: "validate every block of a member's peer again, from this folder's genesis block on",
  options: [
    { flags: '--member <name>', summary: 'whose peer delivers the blocks', default: 'authority' },
    { flags: '--json', summary: 'print JSON' },
  ],
  async run(input, io) {
    const name = String(input.options['member']);
    const { channel, members } = readEndpoints(io.stateDir);
    const member = members[name];
    if (member === undefined) {
      throw new CommandError(`no member ${name}; members are ${Object.keys(members).join(', ')}`, 2);
    }
    // Loaded only when asked for: every verb would wait for the ledger's code otherwise.
    const { peerBlocks } = await import('../verify/block-stream.js');
    const { verifyChain } = await import('../verify/chain.js');
    const report = await verifyChain(readGenesis(io.stateDir), peerBlocks(channel, member), (block) => {
      io.progress(`block ${block} verified`);
    });
    io.progress('');
    if (input.options['json'] === true) io.out(JSON.stringify({ ...report, codes: Object.fromEntries(report.codes) }));
    else print(report, io);
    return report.findings.length === 0 ? 0 : 1;
  },
};

function readEndpoints(stateDir: string): Endpoints {
  const file = layout.endpoints(stateDir);
  if (!existsSync(file)) throw new CommandError(`there is no network in ${stateDir}; start one with: npm start`);
  return JSON.parse(readFileSync(file, 'utf8')) as Endpoints;
}

function print({ blocks, transactions, codes, tip, findings }: ChainReport, io: CommandIo): void {
  for (const finding of findings) io.err(finding);
  const counts = [...codes].map(([code, count]) => `${count} ${code}`);
  io.out(`${blocks} blocks, ${transactions} transactions (${counts.join(', ')})`);
  io.out(`newest block's hash: ${tip}`);
  io.out(findings.length === 0 ? 'every block is what it says it is' : `${findings.length} findings`);
}
