/** The history of a run: a file that only grows. Clients and injector write it; the judge, another program, reads it. */
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';

/** What a client wants done. */
export type WriteKind = 'observation' | 'bundle' | 'consent' | 'withdrawal' | 'capture';

/** What a client was told in the end: the ledger has it, or nothing of it is there and never will be. */
export type Told = 'acknowledged' | 'failed';

/** A patient whose record a client at the custodian writes. */
export interface PatientLine {
  readonly line: 'patient';
  readonly member: string;
  readonly patient: string;
}

/** Before the first request of a write. */
export interface AskedLine {
  readonly line: 'asked';
  /** Milliseconds since 1970, as in every line. */
  readonly at: number;
  readonly client: string;
  readonly member: string;
  readonly kind: WriteKind;
  /** Idempotency-Key. */
  readonly key: string;
  /** What is to be found of it afterwards: each is written by this one write alone. */
  readonly marks: readonly string[];
}

/** Each answer to a write: its status, 0 = none. */
export interface AnsweredLine {
  readonly line: 'answered';
  readonly at: number;
  readonly key: string;
  readonly status: number;
  /** Code of the OperationOutcome. */
  readonly code?: string;
}

/** Once a client knows what became of a write; whoever never knows has no such line. */
export interface ToldLine {
  readonly line: 'told';
  readonly at: number;
  readonly key: string;
  readonly told: Told;
  /** Where it was told to be, one id for each mark. */
  readonly ids?: readonly string[];
}

/** A read that was answered with a patient's data, by somebody who reads once only. */
export interface ShownLine {
  readonly line: 'shown';
  readonly at: number;
  readonly user: string;
  /** Whether the data is another member's. */
  readonly remote: boolean;
  readonly member: string;
  readonly patient: string;
}

/** A fault, once it is healed and every client goes on or was waited for long enough; `at` is when it was injected. */
export interface FaultLine {
  readonly line: 'fault';
  readonly at: number;
  readonly kind: string;
  /** Whether what the kind is about came about. */
  readonly came: boolean;
  /** Gateways that had ended by themselves. */
  readonly ended: number;
}

export type HistoryLine = PatientLine | AskedLine | AnsweredLine | ToldLine | ShownLine | FaultLine;

/** The file as it is written: a line is with the operating system before its writer goes on. */
export class History {
  private constructor(private readonly file: number) {}

  /** Opens a file to append to. */
  static open(path: string): History {
    return new History(openSync(path, 'a', 0o600));
  }

  append(line: HistoryLine): void {
    writeSync(this.file, `${JSON.stringify(line)}\n`);
  }

  /** Puts it on the disk and ends it. */
  close(): void {
    fsyncSync(this.file);
    closeSync(this.file);
  }
}

/** Reads a history. Throws where a line is no JSON. */
export function readHistory(path: string): HistoryLine[] {
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as HistoryLine);
}

/** The lines of one sort. */
export function linesOf<L extends HistoryLine['line']>(
  lines: readonly HistoryLine[],
  sort: L,
): Extract<HistoryLine, { line: L }>[] {
  return lines.filter((each): each is Extract<HistoryLine, { line: L }> => each.line === sort);
}
