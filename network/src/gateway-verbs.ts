import type { Command } from './command.js';

/** The gateway's verbs of the `salus` command, found at run time: this workspace imports nothing of the gateway. */
export async function gatewayCommands(): Promise<readonly Command[]> {
  const module = '@salus/gateway/commands';
  const loaded = (await import(module)) as { readonly gatewayCommands: readonly Command[] };
  return loaded.gatewayCommands;
}
