import { readDefinition } from '../config/channel-files.js';
import { readNetwork } from '../prepare.js';
import { memberPairs, ownPairs, peerAdmins } from './establish.js';

/** What lies at every peer under the package id that the members agreed on. */
export interface InstalledPackages {
  readonly packageId: string;
  /** SHA-256 of the bytes by peer, such as peer0.stmary; undefined where nothing is installed or nobody answers. */
  readonly hashes: Readonly<Record<string, string | undefined>>;
  /** Peers whose bytes are not those that the package id names. */
  readonly different: readonly string[];
}

/** Asks every peer whose administrator is on this machine for the package it has installed, and compares. */
export async function installedPackages(stateDir: string): Promise<InstalledPackages> {
  const { packageId } = readDefinition(stateDir);
  const expected = packageId.slice(packageId.indexOf(':') + 1);
  const asked = ownPairs(memberPairs(readNetwork(stateDir)))
    .flatMap((pair) => peerAdmins(pair))
    .map(async (admin) => {
      const hash = await admin.installedHash(packageId).catch(() => undefined);
      return [admin.node.serverName, hash] as const;
    });
  const found = await Promise.all(asked);
  const different = found.filter(([, hash]) => hash !== expected).map(([peer]) => peer);
  return { packageId, hashes: Object.fromEntries(found), different };
}
