/** Namespaces of the run's own: a network that may be cut, file systems that may fill up, no process left behind. */
import { execFileSync, spawnSync } from 'node:child_process';

const INSIDE = '--isolated';
const UNSHARE = ['--net', '--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child', '--mount-proc'];
/** Fabric's peers look for an address that is not the loopback's. */
const INTERFACES = [
  'link set lo up',
  'link add faults0 type veth peer name faults1',
  'addr add 10.9.9.1/24 dev faults0',
  'link set faults0 up',
  'link set faults1 up',
];

/** Whether this process runs in namespaces of its own. */
export const isolated = process.argv.includes(INSIDE);

/** Arguments as they were given by whoever started the run. */
export function givenArguments(): string[] {
  return process.argv.slice(2).filter((argument) => argument !== INSIDE);
}

/**
 * Runs this program again in namespaces of its own and returns its exit code. Undefined when it is there already, where
 * it makes its network; or when the machine does not allow it, and faults that need it are left out.
 */
export function runIsolated(): number | undefined {
  if (isolated) {
    for (const line of INTERFACES) execFileSync('ip', line.split(' '));
    return undefined;
  }
  if (spawnSync('unshare', [...UNSHARE, 'sh', '-c', 'nft list tables && setpriv --version']).status !== 0) {
    console.error('no namespaces, nft or setpriv here: the network is not cut, and no disk fills up');
    return undefined;
  }
  const { status } = spawnSync('unshare', [...UNSHARE, process.execPath, ...process.argv.slice(1), INSIDE], {
    stdio: 'inherit',
  });
  return status ?? 1;
}

/** A file system of so many MiB in a folder; what the folder held is hidden. */
export function mountSmallDisk(folder: string, mebibytes: number): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=700`, 'tmpfs', folder]);
}

/** Takes such a file system away again, with what is on it. */
export function unmountSmallDisk(folder: string): void {
  execFileSync('umount', [folder]);
}

/** A node as the firewall knows it. */
export interface Cuttable {
  /** Group that its process runs under. */
  readonly group: number;
  /** Port that others reach it at. */
  readonly port: number;
}

/** From now on nothing that these nodes send arrives, and nothing arrives at them; neither side is told. */
export function cutOff(nodes: readonly Cuttable[]): void {
  const rules = nodes.flatMap(({ group, port }) => [`meta skgid ${group} drop`, `tcp dport ${port} drop`]);
  const lines = ['table inet faults {', 'chain out {', 'type filter hook output priority 0', ...rules, '}', '}', ''];
  execFileSync('nft', ['-f', '-'], { input: lines.join('\n') });
}

/** The network as it was. */
export function joinAgain(): void {
  execFileSync('nft', ['delete', 'table', 'inet', 'faults']);
}
