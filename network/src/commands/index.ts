import type { Command } from '../command.js';
import { down } from './down.js';
import { reset } from './reset.js';
import { up } from './up.js';

/** Verbs that act on the network. */
export const networkCommands: readonly Command[] = [up, down, reset];
