/** Whose certificates a test may use besides those of the gateways. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { layout, mspFiles, type KeyFiles } from '@salus/network/identity/layout';
import type { PreparedState } from '@salus/network/prepare';
import { memberOf } from '@salus/network/topology';

/** Files of a certificate and its key, and the MSP it belongs to. */
export type IdentityFiles = { readonly mspId: string } & KeyFiles;

/** A member's first peer. */
export function peerIdentity({ topology, stateDir }: PreparedState, member: string): IdentityFiles {
  const folder = layout.peer(layout.member(stateDir, member), 'peer0');
  return { mspId: memberOf(topology, member).mspId, ...mspFiles(join(folder, 'msp')) };
}

/** A member's orderer. */
export function ordererIdentity({ material }: PreparedState, member: string): IdentityFiles {
  const { mspId, mspDir } = material.members.find(({ name }) => name === member)!.orderer!;
  return { mspId, ...mspFiles(mspDir) };
}

/** The administrator of a member's orderer, who is of another MSP. */
export function ordererAdminIdentity({ material }: PreparedState, member: string): IdentityFiles {
  const { mspId, adminMspDir } = material.members.find(({ name }) => name === member)!.orderer!;
  return { mspId, ...mspFiles(adminMspDir) };
}

/** A member's administrator, who writes and reads blocks and holds no private data. */
export function adminIdentity({ topology, stateDir }: PreparedState, member: string): IdentityFiles {
  const folder = layout.msp(layout.admin(layout.member(stateDir, member)));
  return { mspId: memberOf(topology, member).mspId, ...mspFiles(folder) };
}

/** Certificate and key as somebody has them who took them into a folder of their own. */
export function takenIdentity(identity: IdentityFiles, folder: string): IdentityFiles {
  const files = mspFiles(folder);
  cpSync(identity.cert, files.cert);
  cpSync(identity.key, files.key);
  return { mspId: identity.mspId, ...files };
}
