import { common, msp, peer } from '@hyperledger/fabric-protos';
import type { MemberMaterial, OrdererMaterial, Organisation } from '../identity/material.js';
import { NODE_UNITS } from '../identity/node-units.js';
import type { Member, OrdererNode } from '../topology/model.js';
import { configGroup, signedBy } from './groups.js';
import { anyOf, type Role, rolePrincipal } from './signature-policy.js';

/** A member in the channel's Application group. Endorsement is by peers, never by mere members. */
export function memberGroup(member: Member, material: MemberMaterial): common.ConfigGroup {
  const { mspId } = material;
  return configGroup({
    values: { MSP: mspConfig(material), AnchorPeers: anchorPeers(member) },
    policies: {
      Readers: byRoles(mspId, 'ADMIN', 'PEER', 'CLIENT'),
      Writers: byRoles(mspId, 'ADMIN', 'CLIENT'),
      Admins: byRoles(mspId, 'ADMIN'),
      Endorsement: byRoles(mspId, 'PEER'),
    },
  });
}

/** An orderer's organisation. Its Writers include the orderer: it signs configuration blocks. */
export function ordererGroup(node: OrdererNode, material: OrdererMaterial): common.ConfigGroup {
  const { mspId } = material;
  const addresses = new common.OrdererAddresses();
  addresses.setAddressesList([`${node.host}:${node.port}`]);
  return configGroup({
    values: { MSP: mspConfig(material), Endpoints: addresses },
    policies: {
      Readers: byRoles(mspId, 'ADMIN', 'ORDERER'),
      Writers: byRoles(mspId, 'ADMIN', 'ORDERER'),
      Admins: byRoles(mspId, 'ADMIN'),
    },
  });
}

function byRoles(mspId: string, ...roles: Role[]): common.Policy {
  return signedBy(anyOf(roles.map((role) => rolePrincipal(mspId, role))));
}

/** Verification side of an MSP: roots, what was revoked, NodeOUs, hash functions. */
function mspConfig({ mspId, ca, tlsCa, revocations = [] }: Organisation): msp.MSPConfig {
  const root = Buffer.from(ca);
  const config = new msp.FabricMSPConfig();
  config.setName(mspId);
  config.setRootCertsList([root]);
  config.setTlsRootCertsList([Buffer.from(tlsCa)]);
  config.setRevocationListList(revocations.map((list) => Buffer.from(list)));
  const crypto = new msp.FabricCryptoConfig();
  crypto.setSignatureHashFamily('SHA2');
  crypto.setIdentityIdentifierHashFunction('SHA256');
  config.setCryptoConfig(crypto);
  config.setFabricNodeOus(nodeUnits(root));
  const wrapped = new msp.MSPConfig();
  wrapped.setConfig(config.serializeBinary());
  return wrapped;
}

function nodeUnits(root: Uint8Array): msp.FabricNodeOUs {
  const unit = (name: string) => {
    const identifier = new msp.FabricOUIdentifier();
    identifier.setCertificate(root);
    identifier.setOrganizationalUnitIdentifier(name);
    return identifier;
  };
  const units = new msp.FabricNodeOUs();
  units.setEnable(true);
  units.setClientOuIdentifier(unit(NODE_UNITS.client));
  units.setPeerOuIdentifier(unit(NODE_UNITS.peer));
  units.setAdminOuIdentifier(unit(NODE_UNITS.admin));
  units.setOrdererOuIdentifier(unit(NODE_UNITS.orderer));
  return units;
}

/** Peers of other members find this member through these. */
function anchorPeers(member: Member): peer.AnchorPeers {
  const anchors = new peer.AnchorPeers();
  anchors.setAnchorPeersList(
    member.peers.map(({ host, port }) => {
      const anchor = new peer.AnchorPeer();
      anchor.setHost(host);
      anchor.setPort(port);
      return anchor;
    }),
  );
  return anchors;
}
