import type { FabricCaServer, Member } from '../../topology/model.js';
import { layout } from '../layout.js';
import type { FabricCaAccess } from './fabric-ca.js';

/** How a member's Fabric CA is asked for its own identities; undefined where the built-in authority issues them. */
export function memberAccess({ name, fabricCa }: Member, memberDir: string): FabricCaAccess | undefined {
  return fabricCa && access(fabricCa, fabricCa.name, { member: name, memberDir });
}

/** How a member's Fabric CA is asked for those of its orderer's organisation, where it has an authority for it. */
export function ordererAccess({ name, fabricCa }: Member, memberDir: string): FabricCaAccess | undefined {
  if (fabricCa?.ordererName === undefined) return undefined;
  return access(fabricCa, fabricCa.ordererName, { member: name, memberDir });
}

function access({ url, files }: FabricCaServer, name: string, caller: FabricCaAccess['caller']): FabricCaAccess {
  const { memberDir } = caller;
  // A server that the native network starts has its TLS certificate from the member's own authority.
  const started = { tlsRoot: layout.tlsAuthority(memberDir).cert, registrar: layout.fabricCaRegistrar(memberDir) };
  return { url, name, caller, ...(files ?? started) };
}
