import { hash } from 'node:crypto';
import { ledger } from '@hyperledger/fabric-protos';
import type { Version } from '../ports.js';

/** SHA-256 of a private key or value as it stands in the hashed read-write set; nothing is hashed to nothing. */
export function privateHash(content: string | Uint8Array): Buffer {
  return content.length === 0 ? Buffer.alloc(0) : hash('sha256', content, 'buffer');
}

/** Whether two heights are the same, absence included. */
export function sameVersion(left: Version | undefined, right: Version | undefined): boolean {
  return left?.block === right?.block && left?.tx === right?.tx;
}

/** The kvrwset.Version of a height; undefined for a key that does not exist. */
export function versionMessage(version: Version | undefined): ledger.rwset.kvrwset.Version | undefined {
  if (!version) return undefined;
  const message = new ledger.rwset.kvrwset.Version();
  message.setBlockNum(version.block);
  message.setTxNum(version.tx);
  return message;
}
