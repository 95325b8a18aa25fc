#!/usr/bin/env node
/** The `salus` command: one verb a file; verbs of the gateway come from its own workspace. */
import { fstatSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Command as Program, CommanderError } from 'commander';

import { type Command, CommandError, type CommandIo } from './command.js';
import { resumeLeft } from './commands/halted.js';
import { networkCommands } from './commands/index.js';
import { gatewayCommands } from './gateway-verbs.js';
import { TopologyError } from './topology.js';

const network = dirname(dirname(fileURLToPath(import.meta.url)));
const project = dirname(network);

function inputOutput(): CommandIo {
  const isTerminal = process.stdout.isTTY;
  return {
    stateDir: resolve(process.env['SALUS_STATE'] ?? join(project, '.salus')),
    topologyFile: resolve(process.env['SALUS_TOPOLOGY'] ?? join(network, 'consortium.yaml')),
    isTerminal,
    isKept: fstatSync(process.stdout.fd).isFile(),
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
    progress: (line) => {
      if (isTerminal) process.stdout.write(`\r\u001b[2K${line}`);
    },
  };
}

function addVerb(program: Program, command: Command, io: CommandIo, exit: (code: number) => void): void {
  const verb = program.command(command.name).summary(command.summary).description(command.summary);
  for (const { name, summary, required, variadic } of command.arguments ?? []) {
    const shape = variadic === true ? `${name}...` : name;
    verb.argument(required === true ? `<${shape}>` : `[${shape}]`, summary);
  }
  for (const option of command.options ?? []) {
    if (option.required === true) verb.requiredOption(option.flags, option.summary, option.default);
    else verb.option(option.flags, option.summary, option.default);
  }
  verb.action(async () => {
    const resumed = resumeLeft(io.stateDir);
    if (resumed > 0) io.err(`a backup that was killed had left ${resumed} processes halted: they go on`);
    exit(await command.run({ args: verb.args, options: verb.opts() }, io));
  });
}

async function main(): Promise<number> {
  const io = inputOutput();
  const program = new Program('salus')
    .description('Salus: a health ledger for a consortium nobody owns')
    .exitOverride()
    .showHelpAfterError('(see --help)');
  let code = 0;
  const exit = (result: number): void => {
    code = result;
  };
  for (const command of [...networkCommands, ...(await gatewayCommands())]) addVerb(program, command, io, exit);
  try {
    await program.parseAsync();
    return code;
  } catch (error) {
    return failure(error, io);
  }
}

function failure(error: unknown, io: CommandIo): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof CommandError || error instanceof TopologyError) {
    io.err(`salus: ${error.message}`);
    return error instanceof CommandError ? error.exitCode : 1;
  }
  io.err(`salus: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return 1;
}

process.exitCode = await main();
