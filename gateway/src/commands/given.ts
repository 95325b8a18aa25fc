/** What the user gave with a verb. */
import type { CommandInput } from '@salus/network/command';

/** The text of an option, by its long name in camel case; undefined where it was not given. */
export function textOption(input: CommandInput, name: string): string | undefined {
  const value = input.options[name];
  return typeof value === 'string' ? value : undefined;
}
