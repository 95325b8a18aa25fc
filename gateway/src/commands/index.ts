/** The gateway's verbs of the `salus` command. */
import type { Command } from '@salus/network/command';

import { appCommand } from './app.js';
import { demo } from './demo.js';
import { load } from './load.js';
import { openApiCommand } from './openapi.js';
import { rebuild } from './rebuild.js';
import { signCommand } from './sign.js';
import { signLinkCommand } from './sign-link.js';
import { tokenCommand } from './token.js';
import { userCommand } from './user.js';
import { verifyErasure } from './verify-erasure.js';
import { verifyRecord } from './verify-record.js';
import { verifyTrial } from './verify-trial.js';

/** One verb a file. */
export const gatewayCommands: readonly Command[] = [
  tokenCommand,
  userCommand,
  appCommand,
  signCommand,
  signLinkCommand,
  load,
  rebuild,
  demo,
  verifyErasure,
  verifyRecord,
  verifyTrial,
  openApiCommand,
];
