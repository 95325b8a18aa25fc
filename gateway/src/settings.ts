/** What one gateway is told about itself and its consortium: the strict parser of settings.json. */
import type { GatewaySettings, ListenAddress, MemberSettings, PeerAddress, PublicJwk } from '@salus/network/settings';

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

export type { GatewaySettings, MemberSettings, PeerAddress, PublicJwk } from '@salus/network/settings';
export { SettingsError } from './settings-reader.js';

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
    nodes: (each, path) => asRecord(each, path, { identities: asText, tls: asText }),
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
