import type { Command, CommandIo } from '../command.js';
import { ownComposeCommand } from '../compose/containers.js';
import { type MemberEndpoints, readEndpoints } from '../endpoints.js';
import { type InstalledPackages, installedPackages } from '../fabric/packages.js';
import { type EndingCertificate, endingCertificates } from '../identity/expiry.js';
import { lostLogNotices } from '../lost-log.js';
import { readRunFile } from './run-file.js';

/** How long a gateway may take to answer, in milliseconds. */
const patience = 3_000;

/** What `status --json` prints of one member. */
interface MemberStatus {
  readonly member: string;
  readonly fhir: string;
  readonly state: 'ready' | 'behind' | 'down';
  /** Blocks that the member's projection has applied; absent when it does not answer. */
  readonly height?: number;
  /** Stored values that its searches do not find, or not by all they hold. */
  readonly faults?: number;
  /** Versions of which content beside the ledger is missing. */
  readonly lost?: number;
}

/** `salus status`: asks every gateway for its readiness and its height. */
export const status: Command = {
  name: 'status',
  summary: 'what runs, and how far each member is; exit code 1 unless all are ready',
  options: [{ flags: '--json', summary: 'print JSON' }],
  async run(input, io) {
    const found = await networkStatus(io.stateDir);
    if (input.options['json'] === true) io.out(JSON.stringify(found));
    else print(io, found);
    return found.isReady ? 0 : 1;
  },
};

/** What `status --json` prints. */
interface NetworkStatus {
  readonly engine: string;
  /** Of the supervisor. */
  readonly pid: number | null;
  readonly isReady: boolean;
  readonly members: readonly MemberStatus[];
  /** Those that have ended or will within 30 days. */
  readonly certificates: readonly EndingCertificate[];
  /** Why each orderer that is not started is not, and what is to be done about it. */
  readonly orderers: readonly string[];
  /** Engine fabric: the chaincode's package and its code at every peer. */
  readonly packages?: InstalledPackages;
}

async function networkStatus(stateDir: string): Promise<NetworkStatus> {
  const running = readRunFile(stateDir);
  const local = { certificates: endingCertificates(stateDir), orderers: lostLogNotices(stateDir) };
  if (running === undefined) return { engine: 'none', pid: null, isReady: false, members: [], ...local };
  const { engine, pid } = running;
  const members = await Promise.all(memberStatuses(stateDir));
  const isUp = members.length > 0 && members.every(({ state }) => state === 'ready');
  if (engine !== 'fabric') return { engine, pid, isReady: isUp, members, ...local };
  const packages = await installedPackages(stateDir);
  return {
    engine,
    pid,
    isReady: isUp && packages.different.length + packages.otherCode.length === 0,
    members,
    ...local,
    packages,
  };
}

function memberStatuses(stateDir: string): Promise<MemberStatus>[] {
  return Object.entries(readEndpoints(stateDir)?.members ?? {}).map(([member, endpoints]) =>
    memberStatus(member, endpoints),
  );
}

/** As much of a gateway's /readyz as is looked at. */
interface ChannelStanding {
  readonly height: number;
  /** A gateway of an earlier version says nothing of them. */
  readonly unreadable?: number;
  readonly unindexed?: number;
  readonly lost?: number;
}

async function memberStatus(member: string, { fhir, gateway }: MemberEndpoints): Promise<MemberStatus> {
  try {
    const response = await fetch(new URL('/readyz', gateway), { signal: AbortSignal.timeout(patience) });
    const { channels } = (await response.json()) as { channels: Record<string, ChannelStanding> };
    const standings = Object.values(channels);
    const height = Math.min(...standings.map((channel) => channel.height));
    const faults = standings.reduce((sum, { unreadable = 0, unindexed = 0 }) => sum + unreadable + unindexed, 0);
    const lost = standings.reduce((sum, channel) => sum + (channel.lost ?? 0), 0);
    return { member, fhir, state: response.ok ? 'ready' : 'behind', height, faults, lost };
  } catch {
    return { member, fhir, state: 'down' };
  }
}

function print(io: CommandIo, { engine, members, certificates, orderers, packages }: NetworkStatus): void {
  for (const { name, file, endsAt, daysLeft } of certificates) {
    const when = daysLeft < 0 ? 'has ended' : `ends in ${daysLeft} days`;
    io.out(`certificate of ${name} ${when} (${endsAt}): ${file}`);
  }
  for (const line of orderers) io.out(line);
  if (members.length === 0) {
    printNone(io);
    return;
  }
  io.out(engine === 'embedded' ? 'engine: embedded ledger, for development only' : `engine: ${engine}`);
  for (const each of members) io.out(lineOf(each));
  if (packages !== undefined) printPackages(io, packages);
}

function printNone(io: CommandIo): void {
  const compose = ownComposeCommand(io.stateDir);
  if (compose !== undefined) io.out(`whether its containers run says: ${compose} ps`);
  io.out('nothing runs from this state folder; start it with: npm start');
}

function lineOf({ member, state, height, fhir, faults = 0, lost = 0 }: MemberStatus): string {
  const told = [
    ...(faults === 0 ? [] : [`${faults} stored values not indexed whole: see its log`]),
    ...(lost === 0 ? [] : [`content of ${lost} versions is lost: see "salus rebuild"`]),
  ];
  return [member.padEnd(12), state.padEnd(7), `block ${height ?? '-'}`.padEnd(12), fhir, ...told].join(' ');
}

function printPackages(io: CommandIo, { packageId, hashes, different, codes, otherCode }: InstalledPackages): void {
  const total = Object.keys(hashes).length;
  const missing = different.length > 0 ? `, not at ${different.join(' ')}` : '';
  io.out(`chaincode ${packageId}`);
  io.out(`the same package at ${total - different.length} of ${total} peers${missing}`);
  const answering = Object.values(codes).filter((code) => code !== undefined).length;
  const other = otherCode.length > 0 ? `, other code at ${otherCode.join(' ')}` : '';
  io.out(`the same code at ${answering - otherCode.length} of ${Object.keys(codes).length} peers${other}`);
}
