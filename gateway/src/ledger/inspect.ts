/** A block laid open for whoever wants to check it: positions, codes, signatures verified, hashes; no private content. */
import { createHash } from 'node:crypto';

import { common, peer } from '@hyperledger/fabric-protos';

import type { LedgerBlock, LedgerTransaction, LedgerWrite } from '../ports.js';
import { decodeBareBlock } from './blocks.js';
import { checkSigned, type Signed, type TrustRoots } from './trust.js';

const CODE_NAMES = new Map<number, string>(
  Object.entries(peer.TxValidationCode).map(([name, code]) => [code as number, name]),
);

/** One write of a transaction: its place and its hashes, never a private value. */
export interface InspectedWrite {
  /** Absent = public state. */
  readonly collection?: string;
  /** Public keys only; U+0000 between parts is shown as a slash. */
  readonly key?: string;
  readonly keyHash: string;
  readonly valueHash?: string;
  readonly isDelete: boolean;
  readonly isPurge: boolean;
}

/** A transaction with every signature under it checked. */
export interface InspectedTransaction extends Omit<
  LedgerTransaction,
  'creatorMspId' | 'endorsers' | 'writes' | 'argument'
> {
  readonly block: number;
  /** Fabric's name of the validation code, such as MVCC_READ_CONFLICT. */
  readonly validation: string;
  readonly creator: Signed;
  readonly endorsers: readonly Signed[];
  readonly writes: readonly InspectedWrite[];
}

/** A block with its transactions laid open. */
export interface InspectedBlock extends Omit<LedgerBlock, 'transactions'> {
  readonly transactions: readonly InspectedTransaction[];
}

/** Checks a block's hashes and every signature in it under `roots`. Throws BlockError when its hashes do not hold. */
export function inspectBlock(block: common.Block, chaincode: string, roots: TrustRoots): InspectedBlock {
  const decoded = decodeBareBlock(block, chaincode);
  const envelopes = block.getData()?.getDataList_asU8() ?? [];
  return {
    ...decoded,
    transactions: decoded.transactions.map((transaction, index) => {
      const { creatorMspId, endorsers, writes, ...rest } = transaction;
      const signatures = signaturesOf(envelopes[index], roots);
      return {
        ...rest,
        block: decoded.number,
        validation: codeName(transaction.code),
        creator: signatures?.creator ?? { mspId: creatorMspId, verified: false },
        endorsers: signatures?.endorsers ?? endorsers.map((mspId) => ({ mspId, verified: false })),
        writes: writes.map(inspectWrite),
      };
    }),
  };
}

/** Fabric's name of a validation code. */
export function codeName(code: number): string {
  return CODE_NAMES.get(code) ?? String(code);
}

function inspectWrite({ collection, key, keyHash, valueHash, value, isDelete, isPurge }: LedgerWrite): InspectedWrite {
  if (collection !== undefined) {
    return { collection, keyHash: keyHash ?? '', ...(valueHash === undefined ? {} : { valueHash }), isDelete, isPurge };
  }
  const clear = key ?? '';
  return {
    key: readableKey(clear),
    keyHash: sha256(clear),
    ...(value === undefined ? {} : { valueHash: sha256(value) }),
    isDelete,
    isPurge,
  };
}

/** A composite key as people read it: parts joined by slashes. */
export function readableKey(key: string): string {
  return key
    .split('\u0000')
    .filter((part) => part !== '')
    .join('/');
}

interface Signatures {
  readonly creator: Signed;
  readonly endorsers: readonly Signed[];
}

function signaturesOf(bytes: Uint8Array | undefined, roots: TrustRoots): Signatures | undefined {
  if (bytes === undefined) return undefined;
  try {
    const envelope = common.Envelope.deserializeBinary(bytes);
    const payload = common.Payload.deserializeBinary(envelope.getPayload_asU8());
    const header = common.SignatureHeader.deserializeBinary(
      payload.getHeader()?.getSignatureHeader_asU8() ?? new Uint8Array(),
    );
    const creator = checkSigned(
      header.getCreator_asU8(),
      envelope.getPayload_asU8(),
      envelope.getSignature_asU8(),
      roots,
    );
    return { creator, endorsers: endorsersOf(payload, roots) };
  } catch {
    return undefined;
  }
}

function endorsersOf(payload: common.Payload, roots: TrustRoots): Signed[] {
  const channel = common.ChannelHeader.deserializeBinary(
    payload.getHeader()?.getChannelHeader_asU8() ?? new Uint8Array(),
  );
  if (channel.getType() !== (common.HeaderType.ENDORSER_TRANSACTION as number)) return [];
  const [action] = peer.Transaction.deserializeBinary(payload.getData_asU8()).getActionsList();
  if (action === undefined) return [];
  const endorsed = peer.ChaincodeActionPayload.deserializeBinary(action.getPayload_asU8()).getAction();
  const response = endorsed?.getProposalResponsePayload_asU8() ?? new Uint8Array();
  return (endorsed?.getEndorsementsList() ?? []).map((each) => {
    const endorser = each.getEndorser_asU8();
    return checkSigned(endorser, Buffer.concat([response, endorser]), each.getSignature_asU8(), roots);
  });
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
