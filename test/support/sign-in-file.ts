/** Who may sign in at a member's gateway, as an administrator edits the file by hand. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { layout } from '@salus/network/identity/layout';

/** The member's file. */
export function signInFile(stateDir: string, member: string): string {
  return join(layout.data(layout.member(stateDir, member)), 'sign-in.json');
}

/** Takes a person out. */
export function removePerson(stateDir: string, member: string, user: string): void {
  const file = signInFile(stateDir, member);
  const content = JSON.parse(readFileSync(file, 'utf8')) as { people: { user: string }[] };
  writeFileSync(file, JSON.stringify({ ...content, people: content.people.filter((each) => each.user !== user) }));
}
