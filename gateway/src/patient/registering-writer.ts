/** Registers a Patient in `care` before its first record is written (a transaction of its own). */
import { randomBytes } from 'node:crypto';

import { transactions, type RegisterPatient } from '@salus/chaincode/patient/api';

import { inTransaction } from '../keys/database.js';
import type { KeyStore } from '../keys/key-store.js';
import type { Wallet } from '../keys/wallet.js';
import { isRefusal } from '../ledger/refusal.js';
import { actorBytes, GATEWAY_ACTOR } from '../ledger/vouched.js';
import type { Actor, Idempotency, Ledger, RecordWriter, ResourceWrite, WriteOutcome } from '../ports.js';
import type { PublicJwk } from '../settings.js';
import type { PatientKeys } from './keys.js';
import type { PatientLookup } from './lookup.js';

/** The table of this member's registered patients, in keys.db. */
export const REGISTRATIONS = `
CREATE TABLE IF NOT EXISTS registrations (
  patient TEXT PRIMARY KEY, pid TEXT NOT NULL, salt TEXT NOT NULL, done INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

/** What a patient's first write needs: the registration in `care` comes before it. */
export interface RegistrationPorts {
  readonly ledger: Pick<Ledger, 'submit'>;
  readonly keys: KeyStore;
  /** Makes the patient's custodial key, which the registration carries. */
  readonly wallet: Wallet;
  readonly patientKeys: Pick<PatientKeys, 'keepCustodial'>;
  readonly lookup: PatientLookup;
  readonly writer: RecordWriter;
}

interface Registration {
  readonly pid: string;
  readonly salt: string;
  readonly done: number;
  readonly jwk: PublicJwk;
}

/** A RecordWriter for a hospital: new Patients are in `care` before they are in the record. */
export class RegisteringWriter implements RecordWriter {
  constructor(private readonly ports: RegistrationPorts) {
    ports.keys.database.exec(REGISTRATIONS);
  }

  async write(actor: Actor, writes: readonly ResourceWrite[], idempotency?: Idempotency): Promise<WriteOutcome> {
    const fresh = writes.filter(({ type, expect }) => type === 'Patient' && expect === 0);
    await Promise.all(fresh.map(({ id }) => this.#register(id)));
    return await this.ports.writer.write(actor, writes, idempotency);
  }

  /** Registers under a pid that is kept before it is sent, so that a second attempt is the same one. */
  async #register(patientId: string): Promise<void> {
    if (this.ports.lookup.keeps(patientId)) return;
    const { pid, salt, done, jwk } = this.#intent(patientId);
    if (done === 1) return;
    const request: RegisterPatient = { pid, patientId, jwk, salt };
    try {
      await this.ports.ledger.submit({
        transaction: transactions.register,
        transient: { request: bytes(request), actor: actorBytes(GATEWAY_ACTOR) },
      });
    } catch (error) {
      if (!isRefusal(error, 'already-registered')) throw error;
    }
    this.ports.keys.database.prepare('UPDATE registrations SET done = 1 WHERE patient = ?').run(patientId);
  }

  /** The pid and the custodial key, on disk together before either is sent. */
  #intent(patientId: string): Registration {
    const { keys, wallet, patientKeys } = this.ports;
    const fresh = [patientId, randomBytes(32).toString('hex'), randomBytes(32).toString('hex')] as const;
    return inTransaction(keys.database, () => {
      keys.database.prepare('INSERT OR IGNORE INTO registrations VALUES (?, ?, ?, 0)').run(...fresh);
      const row = keys.database.prepare('SELECT pid, salt, done FROM registrations WHERE patient = ?').get(patientId);
      const kept = row as unknown as Omit<Registration, 'jwk'>;
      const jwk = wallet.publicKey(patientId);
      if (kept.done === 0) patientKeys.keepCustodial(kept.pid, jwk);
      return { ...kept, jwk };
    });
  }
}

function bytes(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
