/** Child processes that are started again when they end. */
import { setTimeout as sleep } from 'node:timers/promises';

import { type Child, type ChildPlan, startChild } from './children.js';
import { givenUp, type ProcessEnd, Restarts } from './restarts.js';

/** What a supervisor does beside starting processes. */
export interface SupervisedOptions {
  /** Told of each that is ready, that ended, that is back. */
  readonly progress: (line: string) => void;
  /** Told whenever other processes run than before. */
  readonly changed: (children: readonly Child[]) => void;
  /** Done before one is started again. */
  readonly clear: (name: string) => Promise<void>;
}

/** Processes that need each other, watched by one supervisor. */
export class Supervised {
  private readonly running: Child[];
  private readonly restarts = new Restarts();
  private stopping = false;
  private reportFailure: (why: string) => void = () => undefined;
  /** Resolves with a sentence when one gives up, or ends again and again. */
  readonly failed = new Promise<string>((resolve) => {
    this.reportFailure = resolve;
  });

  /** Starts them all at once: each waits for the ones it needs, and loading is what takes the time. */
  constructor(
    private readonly plans: readonly ChildPlan[],
    private readonly options: SupervisedOptions,
  ) {
    this.running = plans.map((plan) => startChild(plan));
    options.changed(this.running);
  }

  /** What runs now, in the order of the plans. */
  get children(): readonly Child[] {
    return this.running;
  }

  /** Resolves when all are ready, from when on those that end are started again; rejects when one is not. */
  async ready(): Promise<void> {
    const { progress } = this.options;
    await Promise.all(
      this.running.map(async (child) => {
        await child.ready;
        progress(`ready: ${child.name}`);
      }),
    );
    for (const index of this.running.keys()) this.watch(index);
  }

  /** Stops all, the last one first. */
  async stop(): Promise<void> {
    this.stopping = true;
    for (const child of [...this.running].reverse()) await child.stop();
  }

  private watch(index: number): void {
    const child = this.running[index];
    if (child === undefined) return;
    void child.failed.then(this.reportFailure);
    void child.ended.then((by) => this.startAgain(index, { by, ranMs: Date.now() - child.startedAt }));
  }

  private async startAgain(index: number, end: ProcessEnd): Promise<void> {
    const plan = this.plans[index];
    if (plan === undefined || this.stopping || (await this.hasGivenUp(index))) return;
    const { progress, changed, clear } = this.options;
    const why = `${plan.name} ended by ${end.by}; its log is ${plan.logFile}`;
    const wait = this.restarts.ended(plan.name, end);
    if (wait === undefined) {
      this.reportFailure(givenUp(why, end));
      return;
    }
    progress(`${why}\n  it is started again in ${wait / 1000} s`);
    await sleep(wait);
    await clear(plan.name);
    if (this.isStopping()) return;
    const child = startChild(plan);
    this.running[index] = child;
    changed(this.running);
    this.watch(index);
    child.ready.then(
      () => {
        progress(`${plan.name} runs again`);
      },
      // One that hangs is ended, and its end seen to like any other.
      () => child.stop(),
    );
  }

  /** It may have said so just before it ended, and the word be on its way. */
  private hasGivenUp(index: number): Promise<boolean> {
    const said = this.running[index]?.failed.then(() => true);
    return Promise.race([said ?? true, sleep(WORD_MS, false)]);
  }

  private isStopping(): boolean {
    return this.stopping;
  }
}

/** How long the last words of a process that ended may be under way, in milliseconds. */
const WORD_MS = 100;
