import type { FabricCaServer, Member } from '../../topology/model.js';
import { layout } from '../layout.js';
import type { FabricCaAccess } from './fabric-ca.js';

/** How a member's Fabric CA is asked for its own identities; undefined where the built-in authority issues them. */
export function memberAccess({ fabricCa }: Member, memberDir: string): FabricCaAccess | undefined {
  return fabricCa && access(fabricCa, fabricCa.name, memberDir);
}

/** How a member's Fabric CA is asked for those of its orderer's organisation, where it has an authority for it. */
export function ordererAccess({ fabricCa }: Member, memberDir: string): FabricCaAccess | undefined {
  return fabricCa?.ordererName === undefined ? undefined : access(fabricCa, fabricCa.ordererName, memberDir);
}

function access({ url, files }: FabricCaServer, name: string, memberDir: string): FabricCaAccess {
  // A server that the native network starts has its TLS certificate from the member's own authority.
  const started = { tlsRoot: layout.tlsAuthority(memberDir).cert, registrar: layout.fabricCaRegistrar(memberDir) };
  return { url, name, ...(files ?? started) };
}
