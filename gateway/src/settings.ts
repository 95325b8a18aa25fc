/** What one gateway is told about itself and its consortium: the shape of settings.json and its strict parser. */
import {
  absent,
  asBoolean,
  asInteger,
  asList,
  asPort,
  asRecord,
  asText,
  asUrl,
  SettingsError,
  type Path,
  type Reader,
} from './settings-reader.js';

export { SettingsError } from './settings-reader.js';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface PeerAddress {
  readonly name: string;
  readonly mspId: string;
  /** host:port */
  readonly endpoint: string;
  /** PEM file of the TLS CA. */
  readonly tlsCa: string;
  readonly serverName: string;
}

/** A public ES256 key (RFC 7517). */
export interface PublicJwk {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
  readonly kid: string;
  readonly alg: 'ES256';
  readonly use: 'sig';
}

export interface MemberSettings {
  readonly name: string;
  readonly mspId: string;
  /** What people call it. */
  readonly title: string;
  readonly roles: readonly string[];
  readonly baseUrl: string;
  readonly doorUrl: string;
  /** GS1 company prefixes. */
  readonly gcp: readonly string[];
  /** Party GLN. */
  readonly pgln?: string;
  /** SGLN of its premises. */
  readonly sgln: readonly string[];
  /** Key of its first gateway. */
  readonly kid: string;
  readonly jwk: PublicJwk;
  /** Keys of all its gateways. */
  readonly keys: readonly PublicJwk[];
  /** PEM of the root of its doors' TLS certificates. */
  readonly doorRoot: string;
}

/** settings.json of one gateway; all paths are absolute. */
export interface GatewaySettings {
  readonly member: string;
  readonly mspId: string;
  /** What people call the member. */
  readonly title: string;
  readonly roles: readonly string[];
  /** Name within the member, such as gateway0. */
  readonly gateway: string;
  readonly channel: string;
  readonly chaincode: string;
  readonly production: boolean;
  /** Name of the ledger that runs below: shown to people, decides nothing. */
  readonly engine?: string;
  /** Shifts this gateway's clock, in milliseconds; tests only, refused in production. */
  readonly clockOffsetMs: number;
  readonly listen: ListenAddress;
  readonly door: ListenAddress;
  /** As clients see it, without the FHIR path. */
  readonly baseUrl: string;
  readonly peers: readonly PeerAddress[];
  readonly identity: { readonly cert: string; readonly key: string };
  readonly doorTls: { readonly cert: string; readonly key: string; readonly ca: string };
  /** File of the private ES256 signing key (JWK). */
  readonly jwk: string;
  readonly dataDir: string;
  readonly members: readonly MemberSettings[];
}

const listen: Reader<ListenAddress> = (value, path) => asRecord(value, path, { host: asText, port: asPort });

const peer: Reader<PeerAddress> = (value, path) =>
  asRecord(value, path, { name: asText, mspId: asText, endpoint: asEndpoint, tlsCa: asText, serverName: asText });

const publicJwk: Reader<PublicJwk> = (value, path) =>
  asRecord(value, path, {
    kty: asExactly('EC'),
    crv: asExactly('P-256'),
    x: asText,
    y: asText,
    kid: asText,
    alg: asExactly('ES256'),
    use: asExactly('sig'),
  });

const member: Reader<MemberSettings> = (value, path) => {
  const { pgln, ...read } = asRecord(value, path, {
    name: asText,
    mspId: asText,
    title: asText,
    roles: asList(asText),
    baseUrl: asUrl,
    doorUrl: asUrl,
    gcp: asList(asText),
    pgln: absent(asText),
    sgln: asList(asText),
    kid: asText,
    jwk: publicJwk,
    keys: asList(publicJwk),
    doorRoot: asText,
  });
  return { ...read, ...(pgln === undefined ? {} : { pgln }) };
};

/** Parses the text of a settings.json. Throws SettingsError naming the file, the place and what would be right. */
export function parseSettings(text: string, file: string): GatewaySettings {
  const { engine, ...read } = asRecord(parseJson(text, file), [file], {
    member: asText,
    mspId: asText,
    title: asText,
    roles: asList(asText),
    gateway: asText,
    channel: asText,
    chaincode: asText,
    production: asBoolean,
    engine: absent(asText),
    clockOffsetMs: asInteger,
    listen,
    door: listen,
    baseUrl: asUrl,
    peers: asList(peer),
    identity: (each, path) => asRecord(each, path, { cert: asText, key: asText }),
    doorTls: (each, path) => asRecord(each, path, { cert: asText, key: asText, ca: asText }),
    jwk: asText,
    dataDir: asText,
    members: asList(member),
  });
  const settings = { ...read, ...(engine === undefined ? {} : { engine }) };
  checkTogether(settings, file);
  return settings;
}

function checkTogether(settings: GatewaySettings, file: string): void {
  const own = settings.members.find((each) => each.name === settings.member);
  if (own?.mspId !== settings.mspId) {
    throw new SettingsError([file, 'members'], `must list ${settings.member} with MSP id ${settings.mspId}`);
  }
  if (settings.peers.length === 0) throw new SettingsError([file, 'peers'], 'needs at least one peer of the member');
  const foreign = settings.peers.find((each) => each.mspId !== settings.mspId);
  if (foreign !== undefined) {
    throw new SettingsError([file, 'peers'], `${foreign.name} is not a peer of ${settings.mspId}; list own peers only`);
  }
  if (settings.production && settings.clockOffsetMs !== 0) {
    throw new SettingsError([file, 'clockOffsetMs'], 'must be 0 in production');
  }
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SettingsError([file], `is not JSON: ${(error as Error).message}`);
  }
}

function asExactly<T extends string>(wanted: T): Reader<T> {
  return (value, path) => {
    if (value !== wanted) throw new SettingsError(path, `must be "${wanted}"`);
    return wanted;
  };
}

function asEndpoint(value: unknown, path: Path): string {
  const text = asText(value, path);
  if (!/^[^\s:]+:\d{1,5}$/.test(text)) throw new SettingsError(path, 'must be host:port');
  return text;
}
