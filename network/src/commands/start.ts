import { join } from 'node:path';

import { type Command, CommandError, type CommandIo } from '../command.js';
import { type Engine, type RunningConsortium, bringUp } from './bring-up.js';
import { refuseDuringBackup } from './halted.js';
import { startOptions } from './options.js';
import { requireWritable } from './state-folder.js';
import { tokenHint, tokenToTry } from './token-to-try.js';

/** The last line of what a start in the foreground says. */
export const HOW_TO_STOP = 'Ctrl-C stops; everything is kept for the next start';

/** `salus start`: ends at SIGINT, SIGTERM or SIGHUP with exit code 0, or with 1 when a process ends again and again. */
export const start: Command = {
  name: 'start',
  summary: 'bring the consortium up in the foreground; Ctrl-C stops it, the next start goes on from there',
  options: startOptions,
  async run(input, io) {
    const engine = parseEngine(input.options['engine']);
    requireWritable(io.stateDir);
    refuseDuringBackup(io.stateDir);
    const began = Date.now();
    const stopWanted = signalled();
    const running = await bringUp({
      engine,
      fresh: input.options['fresh'] === true,
      stateDir: io.stateDir,
      topologyFile: io.topologyFile,
      progress: (line) => {
        io.out(`  ${line}`);
      },
      announce: async (ready) => {
        io.out(`ready in ${((Date.now() - began) / 1000).toFixed(1)} s`);
        const token = await tokenToTry(ready.topology, io);
        for (const line of [...table(ready), ...token, ...tokenHint(ready.topology), HOW_TO_STOP]) io.out(line);
      },
    });
    return await serve(running, stopWanted, io);
  },
};

async function serve(running: RunningConsortium, stopWanted: Promise<string>, io: CommandIo): Promise<number> {
  const failure = running.failed.then((sentence) => ({ sentence }));
  const end = await Promise.race([stopWanted, failure]);
  if (typeof end === 'string') io.out('stopping');
  else io.err(`salus: ${end.sentence}; stopping the rest; logs: ${join(io.stateDir, 'log')}`);
  await running.stop();
  return typeof end === 'string' ? 0 : 1;
}

/** The first signal to stop. Further ones are taken too: who presses Ctrl-C twice would leave everything else running. */
function signalled(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, resolve);
  });
}

function parseEngine(given: unknown): Engine {
  if (given === 'embedded' || given === 'fabric') return given;
  throw new CommandError(`no engine is called "${String(given)}"; there are embedded and fabric`, 2);
}

/** What runs, and where. */
function table(running: RunningConsortium): string[] {
  const engines = {
    embedded: 'embedded ledger: one process, no consensus, for development only',
    fabric: 'Hyperledger Fabric with Raft ordering',
  };
  const rows = running.topology.members.map((member) => [
    member.name,
    member.roles.join(', '),
    running.endpoints.members[member.name]?.fhir ?? '',
  ]);
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return [
    `engine: ${engines[running.engine]}`,
    '',
    ...rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')),
    '',
  ];
}
