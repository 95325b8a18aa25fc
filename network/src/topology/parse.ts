import type { ParsedNode } from 'yaml';
import { checkConsortium } from './checks.js';
import {
  COMPANY_PREFIXES_MAX,
  GATEWAYS_MAX,
  MEMBERS_MAX,
  PEERS_MAX,
  PORT_MAX,
  PORT_MIN,
  PREMISES_MAX,
  SEQUENCE_MAX,
  TITLE_LENGTH_MAX,
} from './limits.js';
import {
  type ChaincodeSpec,
  type Gs1,
  MEMBER_ROLES,
  MEMBER_RULES,
  type Member,
  type MemberRole,
  PORT_KINDS,
  type PortPlan,
  type Topology,
} from './model.js';
import { parseFabricCa } from './fabric-ca.js';
import { gatewayNodes, ordererNode, peerNodes, portsFrom, type PublicWay } from './nodes.js';
import { either, type Section, TopologyReader } from './reader.js';

/** What a run may change of the file: its ports, and how many peers or gateways a member has. */
export interface TopologyOverrides {
  /** All ports move to a compact range that starts here (about 900 ports). */
  readonly portBase?: number;
  /** Peers by member name. */
  readonly peers?: Readonly<Record<string, number>>;
  /** Gateways by member name. */
  readonly gateways?: Readonly<Record<string, number>>;
  readonly production?: boolean;
}

const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_PORTS: PortPlan = {
  gateways: 8101,
  doors: 8201,
  peers: 7101,
  orderers: 7501,
  chaincode: 7601,
  operations: 9401,
  authorities: 7054,
};
const HOST = {
  pattern: /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/,
  expect: 'a lower-case host name or an IPv4 address',
};
const HTTPS = {
  pattern: /^https:\/\/[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:\d{1,5})?$/,
  expect: 'an https URL without a path, such as https://records.stmary.example',
};
/** As an entry of another folder has it: without a proxy in plain HTTP. */
const PUBLIC_URL = { pattern: new RegExp(HTTPS.pattern.source.replace('https', 'https?')), expect: HTTPS.expect };
const CHANNEL = { pattern: /^[a-z][a-z0-9.-]{0,99}$/, expect: 'lower-case letters, digits, dots and hyphens' };
const CHAINCODE = { pattern: /^[a-zA-Z0-9]+([-_][a-zA-Z0-9]+)*$/, expect: 'letters and digits' };
const VERSION = { pattern: /^\d+\.\d+\.\d+$/, expect: 'a version such as 1.0.0' };
const NAME = { pattern: /^[a-z][a-z0-9]{1,19}$/, expect: '2 to 20 lower-case letters and digits, a letter first' };
const MSP_ID = { pattern: /^[A-Z][A-Za-z0-9]{0,29}(?<!Orderer)MSP$/, expect: 'a name such as StmaryMSP' };
const TITLE = {
  pattern: new RegExp(`^\\S(.{0,${TITLE_LENGTH_MAX - 2}}\\S)?$`, 'u'),
  expect: `1 to ${TITLE_LENGTH_MAX} characters`,
};
const COMPANY_PREFIX = { pattern: /^\d{6,12}$/, expect: "6 to 12 digits in quotes, such as '9521001'" };
const PARTY = {
  pattern: /^urn:epc:id:pgln:(?=[\d.]{13}$)\d{6,12}\.\d*$/,
  expect: 'a PGLN such as urn:epc:id:pgln:9521001.00000 (12 digits in all)',
};
const PREMISES = {
  pattern: /^urn:epc:id:sgln:(?=[\d.]{13}\.)\d{6,12}\.\d*\.[A-Za-z0-9%()+,\-.:=_*!']+$/,
  expect: 'an SGLN such as urn:epc:id:sgln:9521001.00001.0 (12 digits, then the extension)',
};
const ROLE = { pattern: new RegExp(`^(${MEMBER_ROLES.join('|')})$`), expect: either(MEMBER_ROLES) };

/** What is wrong with a member's entry that came from elsewhere; undefined where it reads as one of a topology file. */
export function entryProblem({ name, mspId, roles, gs1, peers, gateways, orderer }: Member): string | undefined {
  const nodes = [...peers, ...gateways, ...(orderer ? [orderer] : [])];
  const texts = [
    ...[
      { text: name, ...NAME },
      { text: mspId, ...MSP_ID },
    ],
    ...nodes.flatMap(({ host, listenHost }) => [host, listenHost]).map((text) => ({ text, ...HOST })),
    ...gateways.map(({ publicUrl }) => ({ text: publicUrl, ...PUBLIC_URL })),
    ...roles.map((text) => ({ text, ...ROLE })),
    ...gs1.companyPrefixes.map((text) => ({ text, ...COMPANY_PREFIX })),
  ];
  const wrong = texts.find(({ text, pattern }) => !pattern.test(text));
  return wrong && `${JSON.stringify(wrong.text)} is not ${wrong.expect}`;
}

/** Parses a topology text; throws TopologyError. `file` is what errors call it. */
export function parseTopology(text: string, file: string, overrides: TopologyOverrides = {}): Topology {
  const reader = new TopologyReader(file, text);
  const root = reader.root(['channel', 'production', 'host', 'chaincode', 'ports', 'members']);
  const host = reader.text(root, 'host', { ...HOST, fallback: DEFAULT_HOST });
  const ports = overrides.portBase === undefined ? portPlan(reader, root) : portsFrom(overrides.portBase);
  const nodes = reader.list(root, 'members', MEMBERS_MAX);
  const context = { reader, overrides, ports, host };
  // A member that left keeps its place in the file: the ports of those behind it stay.
  const parsed = nodes.map((node, index) => parseMember(context, node, index));
  const members = parsed.flatMap(({ member, left }) => (left ? [] : [member]));
  const topology: Topology = {
    file,
    channel: reader.text(root, 'channel', CHANNEL),
    production: overrides.production ?? reader.flag(root, 'production'),
    chaincode: parseChaincode(reader, root),
    ports,
    sharedChaincodePort: ports.chaincode - 1,
    members,
    former: parsed.flatMap(({ member, left }) => (left ? [member.name] : [])),
  };
  const replaced = parsed.filter((each) => each.replaced).length;
  checkConsortium(topology, replaced, (index, problem, remedy) =>
    reader.fail(index === undefined ? root : (nodes[index] ?? null), problem, remedy, 'members'),
  );
  return topology;
}

function portPlan(reader: TopologyReader, root: Section): PortPlan {
  const section = reader.child(root, 'ports', 'ports', PORT_KINDS);
  if (!section) return DEFAULT_PORTS;
  const port = (kind: keyof PortPlan) =>
    reader.count(section, kind, { min: PORT_MIN, max: PORT_MAX, fallback: DEFAULT_PORTS[kind] });
  return {
    gateways: port('gateways'),
    doors: port('doors'),
    peers: port('peers'),
    orderers: port('orderers'),
    chaincode: port('chaincode'),
    operations: port('operations'),
    authorities: port('authorities'),
  };
}

function parseChaincode(reader: TopologyReader, root: Section): ChaincodeSpec {
  const keys = ['name', 'version', 'sequence', 'endorsement', 'lifecycle'];
  const section = reader.child(root, 'chaincode', 'chaincode', keys);
  if (!section) return reader.fail(root, 'chaincode is missing', `give the keys ${keys.join(', ')}`);
  return {
    name: reader.text(section, 'name', CHAINCODE),
    version: reader.text(section, 'version', VERSION),
    sequence: reader.count(section, 'sequence', { min: 1, max: SEQUENCE_MAX, fallback: 1 }),
    endorsement: reader.choice(section, 'endorsement', MEMBER_RULES, 'MAJORITY'),
    lifecycle: reader.choice(section, 'lifecycle', MEMBER_RULES, 'MAJORITY'),
  };
}

interface MemberContext {
  readonly reader: TopologyReader;
  readonly overrides: TopologyOverrides;
  readonly ports: PortPlan;
  readonly host: string;
}

interface ParsedMember {
  readonly member: Member;
  readonly left: boolean;
  /** Whether the channel is to let its orderer go, and takes it in again next. */
  readonly replaced: boolean;
}

/** `replaced` is as false, but counts: of three orderers two are left meanwhile. */
const ORDERER_KINDS = [true, false, 'replaced'] as const;

const MEMBER_KEYS = [
  ...['name', 'mspId', 'title', 'roles', 'gs1', 'host', 'listen', 'publicUrl'],
  ...['peers', 'gateways', 'orderer', 'fabricCa', 'left'],
];

function parseMember(context: MemberContext, node: ParsedNode, index: number): ParsedMember {
  const { reader, overrides, ports } = context;
  const unnamed = reader.section(node, `member ${index + 1}`, MEMBER_KEYS);
  const name = reader.text(unnamed, 'name', NAME);
  const section = { ...unnamed, title: `member ${name}` };
  const mspId = reader.text(section, 'mspId', MSP_ID);
  const host = reader.text(section, 'host', { ...HOST, fallback: context.host });
  const place = { index, host, ports };
  const peers = overrides.peers?.[name] ?? reader.count(section, 'peers', { min: 1, max: PEERS_MAX, fallback: 1 });
  const gateways =
    overrides.gateways?.[name] ?? reader.count(section, 'gateways', { min: 1, max: GATEWAYS_MAX, fallback: 1 });
  const orderer = reader.choice(section, 'orderer', ORDERER_KINDS, false);
  const member: Member = {
    name,
    index,
    mspId,
    title: reader.text(section, 'title', { ...TITLE, fallback: name }),
    roles: parseRoles(reader, section),
    gs1: parseGs1(reader, section),
    host,
    peers: peerNodes(place, peers),
    gateways: gatewayNodes(place, gateways, parsePublicWay(reader, section)),
    ...(orderer === true && { orderer: ordererNode(place, mspId) }),
    ...parseFabricCa(reader, section, place, name),
    chaincodeHost: host,
    chaincodePort: ports.chaincode + index,
  };
  return { member, left: reader.flag(section, 'left'), replaced: orderer === 'replaced' };
}

/** Both or neither: one without the other leaves a way in beside the proxy, or none. */
function parsePublicWay(reader: TopologyReader, section: Section): PublicWay {
  const has = (key: string) => section.node.has(key);
  if (!has('listen') && !has('publicUrl')) return {};
  return { listen: reader.text(section, 'listen', HOST), publicUrl: reader.text(section, 'publicUrl', HTTPS) };
}

function parseRoles(reader: TopologyReader, section: Section): MemberRole[] {
  const nodes = reader.list(section, 'roles', MEMBER_ROLES.length);
  if (nodes.length === 0) reader.fail(section, `${section.title} has no roles`, `give ${ROLE.expect}`, 'roles');
  return nodes.map((node) => reader.item(node, `a role of ${section.title}`, ROLE) as MemberRole);
}

function parseGs1(reader: TopologyReader, member: Section): Gs1 {
  const section = reader.child(member, 'gs1', `gs1 of ${member.title}`, ['companyPrefixes', 'party', 'premises']);
  if (!section) return { companyPrefixes: [], premises: [] };
  const companyPrefixes = reader
    .list(section, 'companyPrefixes', COMPANY_PREFIXES_MAX)
    .map((node) => reader.item(node, `a company prefix of ${member.title}`, COMPANY_PREFIX));
  const own = (uri: string, at: ParsedNode | Section, key?: string) => {
    if (companyPrefixes.some((prefix) => uri.split(':')[4]?.startsWith(`${prefix}.`))) return uri;
    const remedy = 'add its company prefix to companyPrefixes or correct it';
    return reader.fail(at, `${uri} is under no company prefix of ${member.title}`, remedy, key);
  };
  const party = section.node.has('party') ? own(reader.text(section, 'party', PARTY), section, 'party') : undefined;
  const premises = reader
    .list(section, 'premises', PREMISES_MAX)
    .map((node) => own(reader.item(node, `a premises of ${member.title}`, PREMISES), node));
  return { companyPrefixes, ...(party !== undefined && { party }), premises };
}
