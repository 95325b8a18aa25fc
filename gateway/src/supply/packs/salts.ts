import type { NamedSecrets } from '../../keys/named-secrets.js';
import { isDeclined, Refusal } from '../../ledger/refusal.js';

/** Characters of a salt in hex. */
const SALT = 64;

/** Most salts of a container that are kept of the times it was here before. */
export const MAX_EARLIER_SALTS = 100;

/** Names under which salts of a container give way to others. */
const GIVING_WAY = ['own', 'receive'] as const;

/** Throws Refusal where a container was here so often that what opened it before could not be kept all. */
export function refuseOneTooOften(secrets: NamedSecrets, item: string): void {
  if (GIVING_WAY.every((name) => earlierSalts(secrets, `${name}/${item}`).length < MAX_EARLIER_SALTS)) return;
  const words = `this container came here more than ${MAX_EARLIER_SALTS} times: what lies in it is received by its own code`;
  throw new Refusal('conflict', 'here-too-often', words);
}

/** Keeps what opens a container, under this name, before it gives way to this one: what was set apart from it then is opened by it for good. */
export function keepEarlier(secrets: NamedSecrets, name: string, salt: string): void {
  const before = secrets.find(name);
  const known = earlierSalts(secrets, name);
  if (before === undefined || before === salt || known.includes(before)) return;
  secrets.keep({ [`earlier/${name}`]: [...known, before].join('') });
}

/** What opened a container under this name before, oldest first. */
export function earlierSalts(secrets: NamedSecrets, name: string): readonly string[] {
  const kept = secrets.find(`earlier/${name}`) ?? '';
  return Array.from({ length: kept.length / SALT }, (_, index) => kept.slice(index * SALT, (index + 1) * SALT));
}

/**
 * Does work on an item with its salt kept first: whoever is killed behind the commit must still be able to open the item.
 * A salt that opens it already gives way only once the work is done.
 */
export async function withSaltKept<T>(
  secrets: NamedSecrets,
  [name, salt]: readonly [string, string],
  work: () => Promise<T>,
): Promise<T> {
  const isNew = secrets.find(name) === undefined;
  // On the disk before anything is sent: the outbox waits for what is kept here, for many acts at once.
  if (isNew) secrets.keepForCall({ [name]: salt });
  try {
    const done = await work();
    if (!isNew && secrets.find(name) !== salt) secrets.keep({ [name]: salt });
    return done;
  } catch (error) {
    // Refused for certain: nothing on the ledger opens with it, and who holds one is taken for the item's owner.
    if (isNew && isDeclined(error)) secrets.forget(name);
    throw error;
  }
}
