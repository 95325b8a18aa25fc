import type { GatewaySettings } from '@salus/gateway/settings';

/** Settings of a gateway of stmary in a consortium of its own; the files they name need not exist. */
export function exampleSettings(): GatewaySettings {
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
    y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    kid: 'example',
    alg: 'ES256',
    use: 'sig',
  } as const;
  return {
    member: 'stmary',
    mspId: 'StmaryMSP',
    title: "St Mary's Hospital",
    roles: ['hospital'],
    gateway: 'gateway0',
    channel: 'health',
    chaincode: 'salus',
    production: false,
    clockOffsetMs: 0,
    listen: { host: '127.0.0.1', port: 0 },
    door: { host: '127.0.0.1', port: 0 },
    baseUrl: 'http://127.0.0.1:8101',
    peers: [
      { name: 'peer0', mspId: 'StmaryMSP', endpoint: '127.0.0.1:7101', tlsCa: 'ca.crt', serverName: 'peer0.stmary' },
    ],
    identity: { cert: 'cert.pem', key: 'key.pem' },
    doorTls: { cert: 'door.pem', key: 'door.key', ca: 'roots.pem' },
    nodes: { identities: 'nodes.identities.pem', tls: 'nodes.tls.pem' },
    jwk: 'jwk.json',
    dataDir: 'data',
    members: [
      {
        name: 'stmary',
        mspId: 'StmaryMSP',
        title: "St Mary's Hospital",
        roles: ['hospital'],
        baseUrl: 'http://127.0.0.1:8101',
        doorUrl: 'https://127.0.0.1:8201',
        gcp: [],
        sgln: [],
        kid: 'example',
        jwk,
        keys: [jwk],
        doorRoot: 'PEM',
      },
    ],
  };
}
