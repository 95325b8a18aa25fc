/** Fabric's NodeOUs: organisational units by which an MSP tells clients, peers, admins and orderers apart. */
export const NODE_UNITS = { client: 'client', peer: 'peer', admin: 'admin', orderer: 'orderer' } as const;

/** The unit that, beside `client`, marks a member's gateway: channel and collection policies ask for it. */
export const GATEWAY_UNIT = 'gateway';

/** config.yaml of an MSP folder; `certificate` is the root's path inside the folder. */
export function nodeUnitsConfig(certificate: string): string {
  const unit = (key: string, name: string) =>
    `  ${key}OUIdentifier:\n    Certificate: ${certificate}\n    OrganizationalUnitIdentifier: ${name}\n`;
  return `NodeOUs:\n  Enable: true\n${unit('Client', NODE_UNITS.client)}${unit('Peer', NODE_UNITS.peer)}${unit(
    'Admin',
    NODE_UNITS.admin,
  )}${unit('Orderer', NODE_UNITS.orderer)}`;
}
