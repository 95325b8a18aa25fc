/** Which start of the machine this process runs under: what was written since and not synced is there as long as that goes on. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** A start of the machine, and when a process first looked (ms since 1970). */
export interface MachineStart {
  readonly id: string;
  readonly at: number;
}

/** Drawn by Linux at every start (man 4 random); the host's own in a container. */
const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** The start that goes on now. Where the system does not say, each process counts as a start of its own. */
export function machineStart(at: number): MachineStart {
  try {
    return { id: readFileSync(BOOT_ID, 'utf8').trim(), at };
  } catch {
    return { id: randomUUID(), at };
  }
}
