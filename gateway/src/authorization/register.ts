/**
 * Who may sign in at the development authorization server, as what, and which apps may ask: `sign-in.json` in the
 * member's data folder, written by `salus user` and `salus app` and read again whenever it changed.
 */
import { renameSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { JWK } from 'jose';

import { absent, asList, asRecord, asText, SettingsError, type Reader } from '../settings-reader.js';

/** A person whom the member knows. */
export interface Person {
  /** Opaque id, the subject of tokens. */
  readonly user: string;
  readonly role: string;
  /** As made by passwords.ts. */
  readonly password: string;
  /** FHIR id, for the roles patient and guardian. */
  readonly patient?: string;
  /** The resource that describes the person, such as `Practitioner/1`, for the claim fhirUser. */
  readonly fhirUser?: string;
}

/** A SMART app or backend service. */
export interface App {
  readonly id: string;
  readonly name: string;
  /** Exactly as the app sends them; none for a backend service. */
  readonly redirectUris: readonly string[];
  /** What it may be granted, separated by spaces; absent = what the person may. */
  readonly scope?: string;
  /** Public keys it signs assertions with, or where its JWK set is found; neither = a public client. */
  readonly keys?: readonly JWK[];
  readonly keysUrl?: string;
  /** Of a backend service: the role it acts in. */
  readonly role?: string;
}

/** The file's content. */
export interface Registered {
  readonly people: readonly Person[];
  readonly apps: readonly App[];
}

const person: Reader<Person> = (value, path) =>
  asRecord(value, path, {
    user: asText,
    role: asText,
    password: asText,
    patient: absent(asText),
    fhirUser: absent(asText),
  }) as Person;

const jwk: Reader<JWK> = (value, path) => {
  if (typeof value !== 'object' || value === null || 'd' in value) {
    throw new SettingsError(path, 'must be a public JWK');
  }
  return value;
};

const app: Reader<App> = (value, path) =>
  asRecord(value, path, {
    id: asText,
    name: asText,
    redirectUris: asList(asText),
    scope: absent(asText),
    keys: absent(asList(jwk)),
    keysUrl: absent(asText),
    role: absent(asText),
  }) as App;

/** Where a member's register lies. */
export function registerFile(dataDir: string): string {
  return join(dataDir, 'sign-in.json');
}

/** Reads the file; nobody and nothing where there is none. Throws SettingsError. */
function readRegister(file: string): Registered {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { people: [], apps: [] };
    throw error;
  }
  return asRecord(JSON.parse(text), [file], { people: asList(person), apps: asList(app) });
}

/** Adds to the file, in place of whoever had the same id; whole or not at all. */
export function register(file: string, added: { readonly person?: Person; readonly app?: App }): void {
  const { people, apps } = readRegister(file);
  const next: Registered = {
    people: replaced(people, added.person, ({ user }) => user),
    apps: replaced(apps, added.app, ({ id }) => id),
  };
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(next, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(draft, file);
}

function replaced<T>(list: readonly T[], added: T | undefined, idOf: (each: T) => string): readonly T[] {
  return added === undefined ? list : [...list.filter((each) => idOf(each) !== idOf(added)), added];
}

/** The register as it is now. */
export class Register {
  #read: { readonly mark: string; readonly content: Registered } | undefined;

  constructor(private readonly file: string) {}

  person(user: string): Person | undefined {
    return this.#content().people.find((each) => each.user === user);
  }

  app(id: string): App | undefined {
    return this.#content().apps.find((each) => each.id === id);
  }

  #content(): Registered {
    const stat = statSync(this.file, { throwIfNoEntry: false });
    const mark = stat === undefined ? 'none' : `${stat.mtimeMs}/${stat.ino}`;
    if (this.#read?.mark !== mark) this.#read = { mark, content: readRegister(this.file) };
    return this.#read.content;
  }
}
