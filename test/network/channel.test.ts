import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { common, ledger, msp, orderer, peer } from '@hyperledger/fabric-protos';
import { chaincodePackage } from '@salus/network/config/archive';
import { readDefinition, readGenesis } from '@salus/network/config/channel-files';
import type { CollectionTemplate } from '@salus/network/config/collections';
import { definitionTransaction } from '@salus/network/config/definition-transaction';
import { isLowS } from '@salus/network/identity/signature';
import { signerOf } from '@salus/network/identity/signer';
import { prepareState, type PreparedState, readNetwork } from '@salus/network/prepare';
import { DEFAULT_TOPOLOGY_FILE, loadTopology } from '@salus/network/topology';

const templates: CollectionTemplate[] = [
  { name: 'of-{member}', each: 'member', members: 'self', endorsers: 1 },
  { name: 'care', members: ['hospital', 'witness'], endorsers: 2 },
  { name: 'care-keys', members: ['hospital'], endorsers: 2 },
];

interface Group {
  readonly group: common.ConfigGroup;
  child(name: string): Group;
  policy(name: string): common.Policy;
  value(name: string): Uint8Array;
}

function walk(group: common.ConfigGroup | undefined): Group {
  assert.ok(group);
  return {
    group,
    child: (name) => walk(group.getGroupsMap().get(name)),
    policy: (name) => group.getPoliciesMap().get(name)?.getPolicy() ?? assert.fail(`no policy ${name}`),
    value: (name) => group.getValuesMap().get(name)?.getValue_asU8() ?? assert.fail(`no value ${name}`),
  };
}

function configOf(block: common.Block): common.ConfigGroup {
  const [envelope] = block.getData()!.getDataList_asU8();
  const payload = common.Payload.deserializeBinary(common.Envelope.deserializeBinary(envelope!).getPayload_asU8());
  const config = common.ConfigEnvelope.deserializeBinary(payload.getData_asU8());
  return config.getConfig()!.getChannelGroup()!;
}

/** A policy in words: "ANY Readers" or "1 of StmaryMSP.PEER StmaryMSP:gateway". */
function words(policy: common.Policy): string {
  if (policy.getType() === common.Policy.PolicyType.IMPLICIT_META) {
    const meta = common.ImplicitMetaPolicy.deserializeBinary(policy.getValue_asU8());
    return `${['ANY', 'ALL', 'MAJORITY'][meta.getRule()]!} ${meta.getSubPolicy()}`;
  }
  return signatureWords(common.SignaturePolicyEnvelope.deserializeBinary(policy.getValue_asU8()));
}

function signatureWords(envelope: common.SignaturePolicyEnvelope): string {
  const choice = envelope.getRule()!.getNOutOf()!;
  const signers = choice.getRulesList().map((rule) => envelope.getIdentitiesList()[rule.getSignedBy()]!);
  return `${choice.getN()} of ${signers.map(principalWords).join(' ')}`;
}

function principalWords(principal: msp.MSPPrincipal): string {
  if (principal.getPrincipalClassification() === msp.MSPPrincipal.Classification.ROLE) {
    const role = msp.MSPRole.deserializeBinary(principal.getPrincipal_asU8());
    return `${role.getMspIdentifier()}.${['MEMBER', 'ADMIN', 'CLIENT', 'PEER', 'ORDERER'][role.getRole()]!}`;
  }
  const unit = msp.OrganizationUnit.deserializeBinary(principal.getPrincipal_asU8());
  return `${unit.getMspIdentifier()}:${unit.getOrganizationalUnitIdentifier()}`;
}

/** Making eighty keys takes a second on an idle machine. */
const PREPARATION_MS = 60_000;

describe('channel configuration', () => {
  let dir: string;
  let state: PreparedState;
  let block: common.Block;
  let root: Group;

  before(async function () {
    this.timeout(PREPARATION_MS);
    dir = mkdtempSync(join(tmpdir(), 'salus-channel-'));
    const topology = loadTopology(DEFAULT_TOPOLOGY_FILE, { peers: { stmary: 2 } });
    state = await prepareState(topology, dir, { collections: templates });
    block = common.Block.deserializeBinary(readGenesis(dir));
    root = walk(configOf(block));
  });
  after(() => {
    rmSync(dir, { recursive: true });
  });

  it('is block 0, whose data hash covers its one envelope', () => {
    const [envelope, ...more] = block.getData()!.getDataList_asU8();
    assert.deepEqual(more, []);
    assert.equal(block.getHeader()!.getNumber(), 0);
    const hash = createHash('sha256').update(envelope!).digest('base64');
    assert.equal(block.getHeader()!.getDataHash_asB64(), hash);
    assert.equal(block.getMetadata()!.getMetadataList().length, 5);
    assert.equal(Buffer.from(block.getMetadata()!.getMetadataList_asU8()[0]!).toString('hex'), '0a020a00');
  });

  it('stays what it was when the network is prepared again', async function () {
    this.timeout(PREPARATION_MS);
    const before = readGenesis(dir);
    await prepareState(state.topology, dir, { collections: templates });
    assert.deepEqual(readGenesis(dir), before);
  });

  it('has peers endorse, and members by majority decide on chaincode and configuration', () => {
    const application = root.child('Application');
    assert.equal(words(application.policy('Endorsement')), 'MAJORITY Endorsement');
    assert.equal(words(application.policy('LifecycleEndorsement')), 'MAJORITY Endorsement');
    assert.equal(words(application.policy('Admins')), 'MAJORITY Admins');
    assert.equal(application.group.getGroupsMap().getLength(), 7);
    const stmary = application.child('StmaryMSP');
    assert.equal(words(stmary.policy('Endorsement')), '1 of StmaryMSP.PEER');
    assert.equal(words(stmary.policy('Writers')), '1 of StmaryMSP.ADMIN StmaryMSP.CLIENT');
  });

  it('lets blocks be made by the orderer role only', () => {
    assert.equal(
      words(root.child('Orderer').policy('BlockValidation')),
      '1 of StmaryOrdererMSP.ORDERER AcmeOrdererMSP.ORDERER AuthorityOrdererMSP.ORDERER',
    );
  });

  it('gives whole blocks to peers, gateways and administrators, never to other clients', () => {
    const readers = words(root.child('Application').policy('BlockReaders'));
    assert.doesNotMatch(readers, /CLIENT|MEMBER/);
    for (const { mspId } of state.material.members) {
      for (const who of ['.PEER', ':gateway', '.ADMIN']) assert.ok(readers.includes(mspId + who), mspId + who);
    }
    assert.equal(words(root.policy('Readers')), 'ANY BlockReaders');
    assert.equal(words(root.child('Orderer').policy('BlockReaders')), 'ANY Readers');
    const acls = peer.ACLs.deserializeBinary(root.child('Application').value('ACLs')).getAclsMap();
    for (const resource of ['event/Block', 'event/FilteredBlock', 'qscc/GetBlockByNumber', 'cscc/GetConfigBlock']) {
      assert.equal(acls.get(resource)?.getPolicyRef(), '/Channel/Application/BlockReaders', resource);
    }
  });

  it('names the certifier of a gateway’s unit by the hash of its certificate', () => {
    const envelope = common.SignaturePolicyEnvelope.deserializeBinary(
      root.child('Application').policy('BlockReaders').getValue_asU8(),
    );
    const certifiers = envelope
      .getIdentitiesList()
      .filter((each) => each.getPrincipalClassification() === msp.MSPPrincipal.Classification.ORGANIZATION_UNIT)
      .map((each) => msp.OrganizationUnit.deserializeBinary(each.getPrincipal_asU8()).getCertifiersIdentifier_asB64());
    const hashes = state.material.members.map(({ ca }) =>
      createHash('sha256').update(new X509Certificate(ca).raw).digest('base64'),
    );
    assert.deepEqual(certifiers, hashes);
  });

  it('runs Raft among the orderers at their own addresses', () => {
    const type = orderer.ConsensusType.deserializeBinary(root.child('Orderer').value('ConsensusType'));
    assert.equal(type.getType(), 'etcdraft');
    const { consentersList } = orderer.etcdraft.ConfigMetadata.deserializeBinary(type.getMetadata_asU8()).toObject();
    assert.deepEqual(
      consentersList.map(({ host, port }) => `${host}:${port}`),
      ['127.0.0.1:7501', '127.0.0.1:7503', '127.0.0.1:7506'],
    );
    const endpoints = root.child('Orderer').child('AcmeOrdererMSP').value('Endpoints');
    assert.deepEqual(common.OrdererAddresses.deserializeBinary(endpoints).getAddressesList(), ['127.0.0.1:7503']);
  });

  it('has purge: application capability V2_5', () => {
    const level = common.Capabilities.deserializeBinary(root.child('Application').value('Capabilities'));
    assert.ok(level.getCapabilitiesMap().has('V2_5'));
  });

  it('lets everything be changed by administrators only', () => {
    const check = (group: common.ConfigGroup): void => {
      assert.equal(group.getModPolicy(), 'Admins');
      for (const map of [group.getValuesMap(), group.getPoliciesMap()]) {
        map.forEach((entry: { getModPolicy(): string }) => {
          assert.equal(entry.getModPolicy(), 'Admins');
        });
      }
      group.getGroupsMap().forEach(check);
    };
    check(root.group);
  });

  describe('chaincode definition', () => {
    const collections = () =>
      peer.CollectionConfigPackage.deserializeBinary(state.definition.collections)
        .getConfigList()
        .map((each) => each.getStaticCollectionConfig()!);

    it('is read back as it was written', () => {
      assert.deepEqual(readDefinition(dir), state.definition);
      assert.deepEqual(readNetwork(dir).topology, state.topology);
      assert.deepEqual(readNetwork(dir).material, state.material);
    });

    it('has a collection for each member, then those of care', () => {
      const names = state.topology.members.map(({ name }) => `of-${name}`);
      assert.deepEqual(
        collections().map((each) => each.getName()),
        [...names, 'care', 'care-keys'],
      );
    });

    it('keeps reading and writing to peers and gateways of the collection’s members', () => {
      for (const each of collections()) {
        assert.ok(each.getMemberOnlyRead() && each.getMemberOnlyWrite(), each.getName());
        assert.equal(each.getBlockToLive(), 0);
      }
      const policyOf = (name: string) =>
        signatureWords(
          collections()
            .find((each) => each.getName() === name)!
            .getMemberOrgsPolicy()!
            .getSignaturePolicy()!,
        );
      assert.equal(policyOf('of-acme'), '1 of AcmeMSP.PEER AcmeMSP:gateway');
      assert.equal(
        policyOf('care'),
        '1 of StmaryMSP.PEER NorthsideMSP.PEER AuthorityMSP.PEER StmaryMSP:gateway NorthsideMSP:gateway AuthorityMSP:gateway',
      );
    });

    it('is endorsed in a collection by the peers of its members alone', () => {
      const endorsed = collections().map((each) => [
        each.getName(),
        signatureWords(each.getEndorsementPolicy()!.getSignaturePolicy()!),
        each.getRequiredPeerCount(),
        each.getMaximumPeerCount(),
      ]);
      assert.deepEqual(endorsed[0], ['of-stmary', '1 of StmaryMSP.PEER', 1, 1]);
      assert.deepEqual(endorsed[1], ['of-northside', '1 of NorthsideMSP.PEER', 0, 0]);
      assert.deepEqual(endorsed[7], ['care', '2 of StmaryMSP.PEER NorthsideMSP.PEER AuthorityMSP.PEER', 1, 3]);
      assert.deepEqual(endorsed[8], ['care-keys', '2 of StmaryMSP.PEER NorthsideMSP.PEER', 1, 2]);
    });

    it('is installed from a package that is the same everywhere', () => {
      assert.equal(chaincodePackage('salus').packageId, state.definition.packageId);
      const digest = 'c0de'.repeat(16);
      const { packageId, bytes } = chaincodePackage('salus', { version: '0.1.0', digest });
      const hash = createHash('sha256').update(bytes).digest('hex');
      assert.equal(packageId, `salus_0.1.0-${digest}:${hash}`);
      // Recorded once: of the same code every member, on whatever machine, installs exactly this.
      assert.equal(hash, 'c16398243692cb50c5555c30d77f69a03ae50ed2e2583841d5c84b6bdbd2cd67');
    });

    it('is committed by a transaction that peers endorsed and an administrator signed', () => {
      const { channel } = state.topology;
      const endorsers = state.material.members.slice(0, 4).map(({ mspId, peers }) => signerOf(peers[0]!.mspDir, mspId));
      const [first] = state.material.members;
      const submitter = signerOf(first!.adminMspDir, first!.mspId);
      const bytes = definitionTransaction(channel, state.definition, { submitter, endorsers });
      const envelope = common.Envelope.deserializeBinary(bytes);
      assert.ok(isLowS(envelope.getSignature_asU8()));
      const payload = common.Payload.deserializeBinary(envelope.getPayload_asU8());
      const transaction = peer.Transaction.deserializeBinary(payload.getData_asU8());
      const action = peer.ChaincodeActionPayload.deserializeBinary(transaction.getActionsList()[0]!.getPayload_asU8());
      assert.equal(action.getAction()!.getEndorsementsList().length, 4);
      const response = peer.ProposalResponsePayload.deserializeBinary(
        action.getAction()!.getProposalResponsePayload_asU8(),
      );
      const results = peer.ChaincodeAction.deserializeBinary(response.getExtension_asU8()).getResults_asU8();
      const [namespace] = ledger.rwset.TxReadWriteSet.deserializeBinary(results).getNsRwsetList();
      const writes = ledger.rwset.kvrwset.KVRWSet.deserializeBinary(namespace!.getRwset_asU8()).getWritesList();
      assert.deepEqual(
        writes.map((write) => write.getKey()),
        [
          'namespaces/fields/salus/Collections',
          'namespaces/fields/salus/EndorsementInfo',
          'namespaces/fields/salus/Sequence',
          'namespaces/fields/salus/ValidationInfo',
          'namespaces/metadata/salus',
        ],
      );
      assert.equal(peer.lifecycle.StateData.deserializeBinary(writes[2]!.getValue_asU8()).getInt64(), 1);
    });
  });
});
