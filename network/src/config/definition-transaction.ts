import { ledger, peer } from '@hyperledger/fabric-protos';
import type { Signer } from '../embedded/ports.js';
import { type ChaincodeDefinition, commitArguments, lifecycleWrites } from './definition.js';
import { createProposal, endorsedEnvelope, proposalHash, signProposal } from './proposal.js';

const LIFECYCLE = '_lifecycle';
/** The version Fabric gives its system chaincodes. */
const SYSTEM_VERSION = 'syscc';
const OK = 200;

/** Who signs a definition into force. */
export interface DefinitionParties {
  /** A member's administrator. */
  readonly submitter: Signer;
  /** Peers of as many members as the channel's lifecycle policy asks for. */
  readonly endorsers: readonly Signer[];
}

/**
 * The transaction that commits a chaincode definition (common.Envelope). The embedded ledger, where one operator holds
 * every member's keys, makes it itself; Fabric's lifecycle arrives at the same writes by the members' approvals.
 */
export function definitionTransaction(
  channel: string,
  definition: ChaincodeDefinition,
  { submitter, endorsers }: DefinitionParties,
): Buffer {
  const args = [Buffer.from('CommitChaincodeDefinition'), commitArguments(definition)];
  const proposal = createProposal({ channel, chaincode: LIFECYCLE, args }, submitter.identity);
  const payload = new peer.ProposalResponsePayload();
  payload.setProposalHash(proposalHash(proposal));
  payload.setExtension$(action(definition).serializeBinary());
  const response = Buffer.from(payload.serializeBinary());
  const endorsements = endorsers.map((endorser) => {
    const endorsement = new peer.Endorsement();
    endorsement.setEndorser(endorser.identity);
    endorsement.setSignature(endorser.sign(Buffer.concat([response, endorser.identity])));
    return endorsement;
  });
  return endorsedEnvelope(signProposal(proposal, submitter), response, endorsements, submitter);
}

function action(definition: ChaincodeDefinition): peer.ChaincodeAction {
  const id = new peer.ChaincodeID();
  id.setName(LIFECYCLE);
  id.setVersion(SYSTEM_VERSION);
  const response = new peer.Response();
  response.setStatus(OK);
  const made = new peer.ChaincodeAction();
  made.setResults(readWriteSet(definition).serializeBinary());
  made.setResponse(response);
  made.setChaincodeId(id);
  return made;
}

function readWriteSet(definition: ChaincodeDefinition): ledger.rwset.TxReadWriteSet {
  const writes = lifecycleWrites(definition).map(({ key, value }) => {
    const write = new ledger.rwset.kvrwset.KVWrite();
    write.setKey(key);
    write.setValue(value);
    return write;
  });
  const set = new ledger.rwset.kvrwset.KVRWSet();
  set.setWritesList(writes);
  const namespace = new ledger.rwset.NsReadWriteSet();
  namespace.setNamespace(LIFECYCLE);
  namespace.setRwset(set.serializeBinary());
  const made = new ledger.rwset.TxReadWriteSet();
  made.setDataModel(ledger.rwset.TxReadWriteSet.DataModel.KV);
  made.setNsRwsetList([namespace]);
  return made;
}
