'use strict';

/**
 * Caliper's connector for Fabric's peer gateway, with the client's TLS certificate shown to the peer. Caliper's own
 * (0.7) has no mutual TLS, which every port of Salus demands. Needs @hyperledger/caliper-fabric, which Caliper's command
 * line brings.
 */
const { Buffer } = require('node:buffer');
const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');

// What belongs to Caliper lies beside its command line, not in this project.
const ofCaliper = createRequire(require.main.filename);
const { CaliperUtils, ConfigUtil } = ofCaliper('@hyperledger/caliper-core');
const grpc = createRequire(ofCaliper.resolve('@hyperledger/caliper-fabric'))('@grpc/grpc-js');
const library = '@hyperledger/caliper-fabric/lib/';
const PeerGateway = ofCaliper(`${library}connector-versions/peer-gateway/PeerGateway.js`);
const WalletFacadeFactory = ofCaliper(`${library}connector-versions/peer-gateway/WalletFacadeFactory.js`);
const ConfigurationFactory = ofCaliper(`${library}connector-configuration/ConnectorConfigurationFactory.js`);

class MutualTlsGateway extends PeerGateway {
  constructor(configuration, workerIndex, { tls }) {
    super(configuration, workerIndex, 'fabric');
    this.tls = tls;
  }

  /** The connection of every identity of this organisation to its peer. */
  async _createClientForPeer(mspId, peer) {
    const known = this.clients.get(peer);
    if (known !== undefined) return known;
    const profile = await this.connectorConfiguration.getConnectionProfileDefinitionForOrganization(mspId);
    const root = Buffer.from(await profile.getTlsCACertsForPeer(peer));
    const [key, cert] = [this.tls.key, this.tls.cert].map((file) => readFileSync(CaliperUtils.resolvePath(file)));
    const client = new grpc.Client(profile.getGrpcEndPointForPeer(peer), grpc.credentials.createSsl(root, key, cert));
    this.clients.set(peer, client);
    return client;
  }
}

/** What Caliper calls in the manager (worker index -1) and in each worker. */
module.exports.ConnectorFactory = async (workerIndex) => {
  const file = CaliperUtils.resolvePath(ConfigUtil.get(ConfigUtil.keys.NetworkConfig));
  const configuration = await new ConfigurationFactory().create(file, new WalletFacadeFactory());
  return new MutualTlsGateway(configuration, workerIndex, CaliperUtils.parseYaml(file).salus);
};
