import type { Command } from '../command.js';
import { backup, restore } from './backup.js';
import { compose, containers } from './compose.js';
import { down } from './down.js';
import { exportMember } from './export.js';
import { apply, countersign, joinChannel, leave, propose, request } from './membership.js';
import { reset } from './reset.js';
import { revoke } from './revoke.js';
import { rotate } from './rotate.js';
import { start } from './start.js';
import { status } from './status.js';
import { up } from './up.js';
import { upgrade } from './upgrade.js';
import { verify } from './verify.js';

/** Verbs that act on the network. */
export const networkCommands: readonly Command[] = [
  start,
  up,
  down,
  status,
  verify,
  reset,
  compose,
  containers,
  revoke,
  rotate,
  exportMember,
  backup,
  restore,
  request,
  joinChannel,
  leave,
  propose,
  countersign,
  apply,
  upgrade,
];
