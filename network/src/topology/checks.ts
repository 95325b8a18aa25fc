import { MEMBERS_MIN, ORDERERS_ALLOWED, PORT_MAX } from './limits.js';
import { type Member, membersWithRole, ordererMembers, type Topology } from './model.js';
import { besideChaincodePort } from './nodes.js';
import { either } from './reader.js';

/** Reports a mistake at a member (by its place in the file) or at the file as a whole; does not return. */
export type Refuse = (member: number | undefined, problem: string, remedy: string) => never;

/**
 * What no member alone can get wrong: names that clash, too few members or orderers, ports that meet. `replaced` is how many orderers
 * the channel lets go to take them in again.
 */
export function checkConsortium(topology: Topology, replaced: number, refuse: Refuse): void {
  checkSize(topology, refuse);
  checkUnique(topology, refuse, 'name', (member) => [member.name]);
  checkUnique(topology, refuse, 'mspId', (member) => [member.mspId]);
  checkUnique(topology, refuse, 'role', (member) => member.roles, 'within');
  checkUnique(topology, refuse, 'company prefix', (member) => member.gs1.companyPrefixes);
  checkUnique(topology, refuse, 'premises', (member) => member.gs1.premises);
  checkOrderers(topology, replaced, refuse);
  checkPorts(topology, refuse);
  checkPublicWays(topology, refuse);
}

/** What people's programs send, tokens and records, crosses no network in clear where the consortium is in earnest. */
function checkPublicWays({ production, members }: Topology, refuse: Refuse): void {
  if (!production) return;
  for (const { index, name, gateways } of members) {
    if (gateways.every(({ publicUrl }) => publicUrl.startsWith('https:'))) continue;
    const remedy =
      'give listen, where its proxy with TLS reaches the gateway, and publicUrl, the https URL of that proxy';
    refuse(index, `member ${name} would be served in plain HTTP, and production is true`, remedy);
  }
}

function checkSize(topology: Topology, refuse: Refuse): void {
  const { length } = topology.members;
  if (length < MEMBERS_MIN) refuse(undefined, `the consortium has ${length} members`, `name at least ${MEMBERS_MIN}`);
  const caring = membersWithRole(topology, ['hospital', 'witness']);
  if (caring.length < MEMBERS_MIN) {
    const remedy = `name at least ${MEMBERS_MIN} members of role hospital or witness: consents need two endorsers`;
    refuse(undefined, `${caring.length} members are hospital or witness`, remedy);
  }
}

function checkUnique(
  topology: Topology,
  refuse: Refuse,
  what: string,
  values: (member: Member) => readonly string[],
  scope: 'within' | 'across' = 'across',
): void {
  const owners = new Map<string, string>();
  for (const member of topology.members) {
    if (scope === 'within') owners.clear();
    for (const value of values(member)) {
      const owner = owners.get(value);
      if (owner !== undefined) {
        refuse(member.index, `${what} ${value} of member ${member.name} is already member ${owner}'s`, 'give another');
      }
      owners.set(value, member.name);
    }
  }
}

function checkOrderers(topology: Topology, replaced: number, refuse: Refuse): void {
  const { length } = ordererMembers(topology);
  if (replaced > 1) refuse(undefined, `${replaced} orderers are replaced`, 'replace one at a time');
  if (length > 0 && ORDERERS_ALLOWED.includes(length + replaced)) return;
  const remedy = `set orderer: true at ${either(ORDERERS_ALLOWED)} members; of one of three that is to be taken in again, orderer: replaced`;
  refuse(undefined, `${length} members run an orderer`, remedy);
}

function checkPorts(topology: Topology, refuse: Refuse): void {
  const owners = new Map<string, string>();
  for (const member of topology.members) {
    for (const [what, port] of portsOf(member)) {
      if (port > PORT_MAX) refuse(member.index, `${what} would listen on port ${port}`, 'lower the first port');
      const address = `${member.host}:${port}`;
      const owner = owners.get(address);
      if (owner !== undefined) refuse(member.index, `${what} and ${owner} both get ${address}`, 'move ports apart');
      owners.set(address, what);
    }
  }
}

function portsOf(member: Member): [string, number][] {
  const own = (what: string) => `${what} of ${member.name}`;
  const { orderer } = member;
  return [
    ...member.peers.flatMap((peer): [string, number][] => [
      [own(peer.name), peer.port],
      [own(`operations of ${peer.name}`), peer.operationsPort],
      [own(`callbacks of ${peer.name}`), peer.chaincodeListenPort],
    ]),
    ...member.gateways.flatMap((gateway): [string, number][] => [
      [own(gateway.name), gateway.port],
      [own(`door of ${gateway.name}`), gateway.doorPort],
    ]),
    ...(orderer
      ? ([
          [own('orderer'), orderer.port],
          [own('orderer administration'), orderer.adminPort],
          [own('orderer operations'), orderer.operationsPort],
        ] satisfies [string, number][])
      : []),
    [own('chaincode'), member.chaincodePort],
    [own('chaincode of an upgrade'), besideChaincodePort(member)],
    ...(member.fabricCa?.listens ? [[own('Fabric CA'), member.fabricCa.listens.port] satisfies [string, number]] : []),
  ];
}
