import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { standstillOver } from '../commands/halted.js';
import { givenUp, type ProcessEnd, Restarts } from '../commands/restarts.js';
import { type RecordedProcess, startTimeOf } from '../commands/run-file.js';
import { CommandError } from '../command.js';
import { writePublic } from '../identity/files.js';

const POLL_MS = 50;
const STOP_TIMEOUT_MS = 8_000;
const LOG_TAIL_LINES = 5;

/** A native process to start; it counts as up once all of its addresses listen. */
export interface ProcessPlan {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Addresses it will listen on: host:port. */
  readonly listens: readonly string[];
}

interface Running {
  readonly plan: ProcessPlan;
  readonly process: ChildProcess;
  /** Resolves with what it ended by. */
  readonly ended: Promise<string>;
  /** Whether its end is no failure: it was told to, or nothing depends on it yet. */
  told: boolean;
}

/** The processes of a native network: started together, recorded on disk, and none left behind. */
export class ProcessGroup {
  private readonly running = new Map<string, Running>();
  private stopping = false;
  private readonly restarts = new Restarts();
  /** Told of each end and each return; absent while nothing is started again. */
  private said: ((line: string) => void) | undefined;
  private reportFailure: (why: string) => void = () => undefined;
  /** Resolves with a sentence when a process ends that nobody told to, and is not to be started again. */
  readonly failed = new Promise<string>((resolve) => {
    this.reportFailure = resolve;
  });

  /** `recordFile`, in the state folder, remembers what runs, so that the next start can end what a killed one left. */
  constructor(private readonly recordFile: string) {}

  /** Starts a process. Throws a CommandError when a port it needs is in use. */
  async start(plan: ProcessPlan): Promise<void> {
    for (const address of plan.listens) await checkFree(plan.name, address);
    if (this.stopping) return;
    mkdirSync(dirname(plan.logFile), { recursive: true });
    const log = openSync(plan.logFile, 'a');
    const child = spawn(plan.command, plan.args, {
      // Nothing else is passed on: Fabric takes variables of ours for its own settings.
      env: plan.environment,
      stdio: ['ignore', log, log],
      // A group of its own: Ctrl-C reaches us alone, and we stop the others in order.
      detached: true,
    });
    closeSync(log);
    const ended = new Promise<string>((resolve) => {
      child.once('exit', (code, signal) => {
        resolve(signal ?? `exit code ${code ?? 0}`);
      });
      child.once('error', (error) => {
        resolve(error.message);
      });
    });
    const running: Running = { plan, process: child, ended, told: false };
    this.running.set(plan.name, running);
    this.record();
    const startedAt = Date.now();
    void ended.then((by) => this.afterEnd(running, failure(plan, by), { by, ranMs: Date.now() - startedAt }));
  }

  /** Starts a process that nothing depends on until it listens. Throws a CommandError where it ends instead. */
  async attempt(plan: ProcessPlan): Promise<void> {
    await this.start(plan);
    const running = this.find(plan.name);
    running.told = true;
    await this.listens(running);
    running.told = running.process.exitCode !== null || running.process.signalCode !== null;
  }

  /** Whether a process of this name runs. */
  isRunning(name: string): boolean {
    const found = this.running.get(name)?.process;
    return found !== undefined && found.exitCode === null && found.signalCode === null;
  }

  /** From now on a process that ends untold is started again, later each time, until it has been too often. */
  keep(said: (line: string) => void): void {
    this.said = said;
  }

  private async afterEnd(running: Running, why: string, ending: ProcessEnd): Promise<void> {
    const { name } = running.plan;
    if (running.told || this.stopping) return;
    const { said } = this;
    const wait = said && this.restarts.ended(name, ending);
    if (wait === undefined) {
      this.reportFailure(said ? givenUp(why, ending) : why);
      return;
    }
    said?.(`${why}\n  it is started again in ${wait / 1000} s`);
    await sleep(wait);
    await standstillOver(dirname(this.recordFile));
    if (this.isPresent(running)) await this.startAgain(running);
  }

  private async startAgain(running: Running): Promise<void> {
    const { name } = running.plan;
    try {
      await this.restart(name);
      this.said?.(`${name} runs again`);
    } catch (error) {
      // One that ended again is seen to by its own end; what could not be started at all, here.
      if (this.isPresent(running)) await this.afterEnd(running, String(error), { by: String(error), ranMs: 0 });
    }
  }

  /** Whether nobody has started it again meanwhile, nor told all to stop. */
  private isPresent(running: Running): boolean {
    return !this.stopping && this.running.get(running.plan.name) === running;
  }

  /** Resolves once all started processes listen; throws a CommandError with the end of the log of one that ended. */
  async listening(): Promise<void> {
    await Promise.all([...this.running.values()].filter(({ told }) => !told).map((running) => this.listens(running)));
  }

  private async listens({ plan, ended }: Running): Promise<void> {
    let over = false;
    const open = Promise.all(plan.listens.map((address) => opened(address, () => over || this.stopping)));
    const end = await Promise.race([open.then(() => undefined), ended]);
    over = true;
    if (end !== undefined) throw new CommandError(failure(plan, end));
  }

  /** Sends a signal to a process; its end is then no failure. */
  async signal(name: string, signal: NodeJS.Signals): Promise<void> {
    const running = this.find(name);
    running.told = true;
    running.process.kill(signal);
    if (signal === 'SIGKILL' || signal === 'SIGTERM') await running.ended;
  }

  /** Starts a process again that has ended; resolves when it listens. */
  async restart(name: string): Promise<void> {
    await this.start(this.find(name).plan);
    await this.listens(this.find(name));
  }

  /** Process ids by name. */
  pids(): ReadonlyMap<string, number> {
    return new Map(
      [...this.running].map(
        ([
          name,
          {
            process: { pid },
          },
        ]) => [name, pid ?? 0],
      ),
    );
  }

  /** Stops all, the last started first; kills what does not end in eight seconds. */
  async stop(): Promise<void> {
    this.stopping = true;
    await standstillOver(dirname(this.recordFile));
    await Promise.all([...this.running.values()].reverse().map(end));
    rmSync(this.recordFile, { force: true });
  }

  private find(name: string): Running {
    const running = this.running.get(name);
    if (!running) throw new Error(`no process of the network is named ${name}`);
    return running;
  }

  private record(): void {
    const entries = [...this.running].map(
      ([
        name,
        {
          process: { pid = 0 },
        },
      ]): RecordedProcess => {
        return { name, pid, startTime: startTimeOf(pid) ?? '' };
      },
    );
    writePublic(this.recordFile, `${JSON.stringify(entries, null, 2)}\n`);
  }
}

async function end({ process: child, ended }: Running): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  // A process that was halted hears nothing until it goes on.
  child.kill('SIGCONT');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}

function failure(plan: ProcessPlan, end: string): string {
  const lines = existsSync(plan.logFile) ? readFileSync(plan.logFile, 'utf8').trimEnd().split('\n') : [];
  // Fabric's nodes colour their logs.
  const tail = stripVTControlCharacters(lines.slice(-LOG_TAIL_LINES).join('\n  '));
  return `${plan.name} ended by ${end}; its log is ${plan.logFile} and ends:\n  ${tail}`;
}

async function checkFree(name: string, address: string): Promise<void> {
  if (!(await answers(address))) return;
  throw new CommandError(
    `${name} cannot listen on ${address}: something already does. Stop it, or give other ports in the topology file`,
  );
}

async function opened(address: string, given: () => boolean): Promise<void> {
  while (!given() && !(await answers(address))) await sleep(POLL_MS);
}

/** Whether something listens at an address: host:port. */
export function answers(address: string): Promise<boolean> {
  const [host = '', port = ''] = address.split(':');
  return new Promise((resolve) => {
    const socket = connect(Number(port), host);
    const answer = (open: boolean) => () => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', answer(true));
    socket.once('error', answer(false));
  });
}
