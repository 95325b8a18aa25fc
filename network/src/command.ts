/** A verb of the `salus` command: what it is called, what it takes and what it does. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly arguments?: readonly CommandArgument[];
  readonly options?: readonly CommandOption[];
  /** Resolves to the exit code: 0 done, 1 failed, 2 wrong use. A CommandError thrown is printed without its stack. */
  run(input: CommandInput, io: CommandIo): Promise<number>;
}

/** A positional argument of a verb. */
export interface CommandArgument {
  readonly name: string;
  readonly summary: string;
  readonly required?: boolean;
  readonly variadic?: boolean;
}

/** An option of a verb. */
export interface CommandOption {
  /** In commander's form: `--member <name>` takes a value, `--json` is a switch. */
  readonly flags: string;
  readonly summary: string;
  readonly default?: string;
  readonly required?: boolean;
}

/** What the user gave, as a verb's `run` gets it. */
export interface CommandInput {
  readonly args: readonly string[];
  /** By the option's long name in camel case. */
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
}

/** What a verb may touch of the world. */
export interface CommandIo {
  /** Absolute path of the state folder, `.salus` by default. */
  readonly stateDir: string;
  /** Absolute path of the topology file. */
  readonly topologyFile: string;
  readonly isTerminal: boolean;
  /** Whether what is written out stays in a file: no token is shown there. */
  readonly isKept: boolean;
  out(line: string): void;
  err(line: string): void;
  /** Rewrites the last line on a terminal; on anything else prints nothing. */
  progress(line: string): void;
}

/** A failure the user can mend: the message says what is wrong and what to do next. */
export class CommandError extends Error {
  constructor(
    message: string,
    /** 1 failed, 2 wrong use. */
    readonly exitCode: 1 | 2 = 1,
  ) {
    super(message);
    this.name = 'CommandError';
  }
}
