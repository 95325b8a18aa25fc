import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readDefinition } from '../config/channel-files.js';
import type { Signer } from '../embedded/ports.js';
import { createSigner } from '../identity/signer.js';
import { type NetworkFile, readNetwork } from '../prepare.js';
import { type MemberPair, memberPairs, ownPairs, peerAdmins } from './establish.js';

/** The chaincode's transaction by which it says what code it is. */
const CODE = 'registry:code';

/** What lies at every peer under the package id that was made here, and what code answers there. */
export interface InstalledPackages {
  readonly packageId: string;
  /**
   * SHA-256 of the bytes by peer, such as peer0.stmary, of the peers whose administrator is on this machine; undefined
   * where nothing is installed or nobody answers.
   */
  readonly hashes: Readonly<Record<string, string | undefined>>;
  /** Peers of these whose bytes are not those that the package id names. */
  readonly different: readonly string[];
  /** Digest of the code that the chaincode of each peer of every member says it is; undefined where none answers. */
  readonly codes: Readonly<Record<string, string | undefined>>;
  /** Peers whose chaincode is other code than the package's. */
  readonly otherCode: readonly string[];
}

/** Asks the peers what they have installed and what runs behind them, and compares. */
export async function installedPackages(stateDir: string): Promise<InstalledPackages> {
  const { packageId, name } = readDefinition(stateDir);
  const [label = '', hash] = packageId.split(':');
  const network = readNetwork(stateDir);
  const all = memberPairs(network);
  const own = ownPairs(all);
  const hashes = await installedAt(own, packageId);
  const codes = await codesAt(network, all, own, name);
  return {
    packageId,
    hashes,
    different: unlike(hashes, hash),
    codes,
    otherCode: unlike(codes, label.slice(label.lastIndexOf('-') + 1)).filter((peer) => codes[peer] !== undefined),
  };
}

function unlike(found: Readonly<Record<string, string | undefined>>, expected?: string): string[] {
  return Object.keys(found).filter((peer) => found[peer] !== expected);
}

async function installedAt(own: readonly MemberPair[], packageId: string) {
  const asked = own
    .flatMap((pair) => peerAdmins(pair))
    .map(async (admin) => {
      const hash = await admin.installedHash(packageId).catch(() => undefined);
      return [admin.node.serverName, hash] as const;
    });
  return Object.fromEntries(await Promise.all(asked));
}

/** Everybody's chaincode answers a member's gateway, wherever it runs. */
async function codesAt(
  { topology }: NetworkFile,
  all: readonly MemberPair[],
  own: readonly MemberPair[],
  name: string,
) {
  const [self] = own;
  const signer = self && gatewaySigner(self);
  if (!signer) return {};
  const asked = all
    .flatMap((pair) => peerAdmins(pair, self))
    .map(async (admin) => {
      const answer = await admin.evaluate(topology.channel, name, CODE, signer).catch(() => undefined);
      return [admin.node.serverName, answer && codeIn(answer)] as const;
    });
  return Object.fromEntries(await Promise.all(asked));
}

function codeIn(answer: Uint8Array): string | undefined {
  try {
    return (JSON.parse(Buffer.from(answer).toString()) as { code?: string }).code;
  } catch {
    return undefined;
  }
}

function gatewaySigner({ own }: MemberPair): Signer | undefined {
  const [first] = own.gateways;
  const files = first && [join(first.dir, 'cert.pem'), join(first.dir, 'key.pem')];
  if (!files?.every((file) => existsSync(file))) return undefined;
  const [cert = '', key = ''] = files.map((file) => readFileSync(file, 'utf8'));
  return createSigner(own.mspId, cert, key);
}
