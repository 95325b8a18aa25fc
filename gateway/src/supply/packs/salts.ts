import type { NamedSecrets } from '../../keys/named-secrets.js';
import { isDeclined } from '../../ledger/refusal.js';

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
