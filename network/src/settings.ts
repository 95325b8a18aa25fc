/** The shape of a gateway's settings.json: the network writes it, the gateway's own parser reads it strictly. */

/** Where a server listens. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** A peer as a client reaches it. */
export interface PeerAddress {
  readonly name: string;
  readonly mspId: string;
  /** host:port */
  readonly endpoint: string;
  /** PEM file of the root under which the peer's TLS certificate was issued. */
  readonly tlsCa: string;
  /** A name in the peer's TLS certificate. */
  readonly serverName: string;
}

/** A public ES256 key (RFC 7517), with which others verify what a gateway signs. */
export interface PublicJwk {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
  readonly kid: string;
  readonly alg: 'ES256';
  readonly use: 'sig';
}

/** What a gateway knows of a member when it starts; afterwards the registry on the ledger is right. */
export interface MemberSettings {
  readonly name: string;
  readonly mspId: string;
  /** What people call it. */
  readonly title: string;
  readonly roles: readonly string[];
  /** http://host:port */
  readonly baseUrl: string;
  /** https://host:port */
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
  /** PEM of the root under which its doors' TLS certificates are issued. */
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
  /** The member's own peers. */
  readonly peers: readonly PeerAddress[];
  /** Files of the Fabric identity; its certificate serves as TLS client certificate too. */
  readonly identity: { readonly cert: string; readonly key: string };
  /** Files of the door's certificate and key, and of the members' door roots. */
  readonly doorTls: { readonly cert: string; readonly key: string; readonly ca: string };
  /** Files of the certificates of the member's other nodes and its administrators, to tell in good time when they end. */
  readonly nodes: { readonly identities: string; readonly tls: string };
  /** File of the private ES256 signing key (JWK). */
  readonly jwk: string;
  readonly dataDir: string;
  readonly members: readonly MemberSettings[];
}
