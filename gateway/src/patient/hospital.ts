/** What a hospital does beside writing a Patient: registers it in `care`, and has other hospitals find it. */
import { candidatesElsewhere } from '../access/candidates.js';
import type { RemoteReads } from '../access/remote.js';
import type { SharingPorts } from '../door/sharing-ports.js';
import type { Elsewhere } from '../fhir/request.js';
import { NamedSecrets } from '../keys/named-secrets.js';
import type { Wallet } from '../keys/wallet.js';
import type { RecordWriter } from '../ports.js';
import { CodeKeeper } from './code-keeper.js';
import { CodeSecrets } from './code-secrets.js';
import type { PatientKeys } from './keys.js';
import { ListingWriter } from './listing-writer.js';
import type { PatientLookup } from './lookup.js';
import { RegisteringWriter } from './registering-writer.js';

/** A gateway's rooms, and what of them knows patients. */
export interface HospitalPorts extends SharingPorts {
  readonly lookup: PatientLookup;
  readonly wallet: Wallet;
  readonly patientKeys: PatientKeys;
  /** Whether the projection shows a block, waiting for it a while. */
  readonly reached: (block: number) => Promise<boolean>;
  /** FHIR instant. */
  readonly now: () => string;
}

/** A hospital's patients, as other hospitals come to know of them. */
export class Hospital {
  readonly #codes: CodeKeeper;
  readonly #secrets: CodeSecrets;

  constructor(private readonly ports: HospitalPorts) {
    const { settings, ledger, keys, projection, delayed } = ports;
    const { member, gateway, mspId } = settings;
    this.#secrets = new CodeSecrets({ mspId, ledger, secrets: new NamedSecrets(keys) });
    this.#codes = new CodeKeeper({
      ...ports,
      ...{ member, gateway, secrets: this.#secrets },
      current: (type, id) => projection.current(type, id),
      onFailure: (error) => {
        delayed('look-up codes', error);
      },
    });
  }

  /** The writer, with every new patient registered before its first record and listed after it. */
  writer(writer: RecordWriter): RecordWriter {
    return new RegisteringWriter({ ...this.ports, writer: new ListingWriter(writer, this.#codes) });
  }

  /** Candidates for a person at other hospitals. */
  elsewhere(remote: RemoteReads): Elsewhere {
    const { settings, projection } = this.ports;
    const ports = { ...this.ports, member: settings.member, facts: projection, secrets: this.#secrets, remote };
    return (request, patient) => candidatesElsewhere(ports, request, patient);
  }

  /** Of a patient whose record is erased: purges what others find it by, and ends every key that signs for it. Throws Refusal. */
  async forget(patient: string): Promise<void> {
    const { lookup, patientKeys, wallet } = this.ports;
    await this.#codes.unlist(patient);
    const pid = lookup.keeps(patient) ? lookup.pidOf(patient) : undefined;
    if (pid !== undefined) await patientKeys.endAll(pid);
    wallet.destroy(patient);
  }

  /** Keeps look-up codes as the patients' identifiers are until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#codes.run(signal);
  }
}
