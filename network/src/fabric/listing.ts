/** The revocation lists of an organisation in the channel's configuration, by which peers and orderers refuse a certificate. */
import type { X509Certificate } from 'node:crypto';
import { CommandError } from '../command.js';
import { configUpdate } from '../config/update/delta.js';
import { revocationsOf, withRevocations } from '../config/update/revocations.js';
import { revokedSerialNumbers } from '../identity/authority.js';
import { issuerOf } from '../identity/material.js';
import type { NetworkFile } from '../prepare.js';
import { FabricRefusal } from './clients.js';
import type { MemberPair } from './establish.js';
import { until } from './lifecycle.js';
import type { PeerAdmin } from './peer-admin.js';
import { applyUpdate, memberSignatures, presentConfiguration, runningChannel } from './reconfigure.js';
import type { Issuing } from './revocable.js';

/** How often a list is put into the configuration anew when another change of it came first. */
const LISTING_ATTEMPTS = 5;
/** How long our peer may take to hear of that change, ms. */
const HEARD_OF_MS = 5_000;

/** A certificate, and who has it listed as revoked. */
export interface Listing {
  readonly pair: MemberPair;
  readonly speaker: PeerAdmin;
  readonly by: Issuing;
  readonly certificate: X509Certificate;
}

/**
 * Has the channel's configuration list the certificate as revoked; the organisation's lists (PEM) that it has then. Of two
 * who change the configuration at once one comes first, and the other's change is made anew. Throws FabricRefusal with
 * the orderer's words, and a CommandError where others come first again and again.
 */
export async function listed(stateDir: string, network: NetworkFile, listing: Listing): Promise<string[]> {
  const { pair, speaker, by, certificate } = listing;
  const running = runningChannel(stateDir, network);
  const { channel } = running;
  const serialNumber = certificate.serialNumber.toLowerCase();
  // An organisation's own administrator alone may change its MSP; the list is its own affair.
  const apply = (update: Uint8Array) =>
    applyUpdate(running, update, memberSignatures(network, pair.member.name, update), speaker);
  for (let attempt = 0; attempt <= LISTING_ATTEMPTS; attempt++) {
    const sequence = await sequenceAt(speaker, channel);
    const present = await presentConfiguration(speaker, channel);
    const earlier = revocationsOf(present, by.mspId).map((list) => Buffer.from(list).toString());
    if (earlier.some((list) => revokedSerialNumbers(list).includes(serialNumber))) return earlier;
    const lists = (await extendedLists(by, earlier, certificate)).map((list) => Buffer.from(list));
    const update = configUpdate(channel, present, withRevocations(present, by.mspId, lists))?.serializeBinary();
    if (update) await unlessAnotherCameFirst(speaker, channel, sequence, () => apply(update));
  }
  throw new CommandError('the configuration changes all the time; ask again, and nothing is lost');
}

/** An orderer refuses what builds on a configuration that is no longer in force, a moment before our peer knows of the next. */
async function unlessAnotherCameFirst(
  speaker: PeerAdmin,
  channel: string,
  sequence: number,
  apply: () => Promise<void>,
): Promise<void> {
  try {
    await apply();
  } catch (error) {
    if (!(error instanceof FabricRefusal)) throw error;
    await until(
      'another configuration',
      async () => (await sequenceAt(speaker, channel)) > sequence,
      HEARD_OF_MS,
    ).catch(() => {
      throw error;
    });
  }
}

async function sequenceAt(speaker: PeerAdmin, channel: string): Promise<number> {
  return (await speaker.config(channel)).getSequence();
}

/** All the organisation has revoked so far and one more: the new list, and those earlier ones that it does not include. */
async function extendedLists(
  { dir, organisation, access }: Issuing,
  earlier: readonly string[],
  certificate: X509Certificate,
): Promise<string[]> {
  const issuer = await issuerOf(dir, organisation, access);
  const list = await issuer.revocation(certificate, earlier);
  const named = new Set(revokedSerialNumbers(list));
  const kept = earlier.filter((each) => !revokedSerialNumbers(each).every((serial) => named.has(serial)));
  return [...kept, list];
}
