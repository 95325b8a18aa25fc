import { hash } from 'node:crypto';
import { msp } from '@hyperledger/fabric-protos';
import type { Msp, MspIdentity } from './msp.js';

/** Deserialized identities remembered; a channel sees far fewer. */
const CACHE_LIMIT = 10_000;

/** All MSPs of a channel: finds the one a serialized identity belongs to. */
export class Identities {
  private readonly cache = new Map<string, MspIdentity | Error>();

  constructor(private readonly msps: ReadonlyMap<string, Msp>) {}

  /** Deserializes a msp.SerializedIdentity. Throws when its MSP is unknown or its certificate not of that MSP's CAs. */
  deserialize(serialized: Buffer): MspIdentity {
    const key = hash('sha256', serialized, 'base64');
    let found = this.cache.get(key);
    if (found === undefined) {
      found = this.tryDeserialize(serialized);
      if (this.cache.size >= CACHE_LIMIT) this.cache.clear();
      this.cache.set(key, found);
    }
    if (found instanceof Error) throw found;
    return found;
  }

  private tryDeserialize(serialized: Buffer): MspIdentity | Error {
    try {
      const identity = msp.SerializedIdentity.deserializeBinary(serialized);
      const owner = this.msps.get(identity.getMspid());
      if (owner === undefined) return new Error(`MSP ${identity.getMspid()} is unknown`);
      return owner.deserialize(serialized, Buffer.from(identity.getIdBytes_asU8()));
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}
