/** `salus user`: adds a person to those who may sign in at a member's development authorization server. */
import { type Command, CommandError } from '@salus/network/command';

import { hashed, newPassword } from '../authorization/passwords.js';
import { register, type Person } from '../authorization/register.js';
import { textOption } from './given.js';
import { registerOf, requireId, requireRole } from './sign-in.js';

/** `salus user`: prints the new password alone; asked again for the same person it gives a new one. */
export const userCommand: Command = {
  name: 'user',
  summary: 'let a person sign in at the development authorization server; prints the password',
  options: [
    { flags: '--member <name>', summary: 'whose gateway', required: true },
    { flags: '--user <id>', summary: 'an opaque id, such as dr-adams', required: true },
    { flags: '--role <role>', summary: 'such as physician, nurse, patient', required: true },
    { flags: '--patient <id>', summary: 'FHIR id of the patient, for the roles patient and guardian' },
    { flags: '--fhir-user <reference>', summary: 'the resource that describes the person, such as Practitioner/1' },
  ],
  async run(input, io) {
    const wish = {
      member: textOption(input, 'member') ?? '',
      user: textOption(input, 'user') ?? '',
      role: textOption(input, 'role') ?? '',
      patient: textOption(input, 'patient'),
      fhirUser: textOption(input, 'fhirUser'),
    };
    io.out(await addPerson(io.stateDir, wish));
    return 0;
  },
};

/** Who is to be let in. */
export interface PersonWish {
  readonly member: string;
  readonly user: string;
  readonly role: string;
  readonly patient?: string | undefined;
  readonly fhirUser?: string | undefined;
}

/** Adds the person, and resolves with the password. Throws CommandError where the wish is wrong, or in production. */
export async function addPerson(stateDir: string, wish: PersonWish): Promise<string> {
  const file = registerOf(stateDir, wish.member);
  const { user, role, patient, fhirUser } = checked(wish);
  const password = newPassword();
  const person: Person = {
    ...{ user, role, password: await hashed(password) },
    ...(patient === undefined ? {} : { patient }),
    ...(fhirUser === undefined ? {} : { fhirUser }),
  };
  register(file, { person });
  return password;
}

function checked(wish: PersonWish): PersonWish {
  const { user, role, patient, fhirUser } = wish;
  requireId('--user', user);
  requireRole(role);
  const isOwn = role === 'patient' || role === 'guardian';
  if (isOwn !== (patient !== undefined))
    throw new CommandError('--patient goes with the roles patient and guardian', 2);
  if (
    fhirUser !== undefined &&
    !/^(Practitioner|PractitionerRole|Patient|RelatedPerson|Person)\/[A-Za-z0-9.-]{1,64}$/.test(fhirUser)
  ) {
    throw new CommandError('--fhir-user must be like Practitioner/1', 2);
  }
  return wish;
}
