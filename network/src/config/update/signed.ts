import { common } from '@hyperledger/fabric-protos';
import type { Signer } from '../../embedded/ports.js';
import { channelHeader, envelopeOf, headerOf, signatureHeader, transactionId } from '../envelope.js';

/** One administrator's signature under an update (common.ConfigSignature). */
export function signUpdate(update: Uint8Array, signer: Signer): common.ConfigSignature {
  const header = signatureHeader(signer.identity).serializeBinary();
  const signature = new common.ConfigSignature();
  signature.setSignatureHeader(header);
  signature.setSignature(signer.sign(Buffer.concat([header, update])));
  return signature;
}

/** The envelope with which an update and its signatures go to an orderer. `submitter` must be a writer of the channel. */
export function updateEnvelope(
  channel: string,
  update: Uint8Array,
  signatures: readonly common.ConfigSignature[],
  submitter: Signer,
): Buffer {
  const content = new common.ConfigUpdateEnvelope();
  content.setConfigUpdate(update);
  content.setSignaturesList([...signatures]);
  const signed = signatureHeader(submitter.identity);
  const made = channelHeader(common.HeaderType.CONFIG_UPDATE, channel);
  made.setTxId(transactionId(signed));
  const envelope = envelopeOf(headerOf(made, signed), content.serializeBinary(), submitter);
  return Buffer.from(envelope.serializeBinary());
}
