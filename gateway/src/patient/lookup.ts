/** Finds patients by the FHIR id their custodian gave them. */
import type { KeyStore } from '../keys/key-store.js';
import type { Fact } from '../projection/asked.js';
import { byOrder, byPatientId, byPid, PATIENT_SPACE } from './project.js';

/** A domain's facts in the projection. */
export interface Facts {
  fact(space: string, key: string): string | undefined;
  facts(space: string, prefix?: string): readonly Fact[];
}

/** Who holds a patient. */
export interface KnownPatient {
  readonly pid: string;
  /** FHIR id by custodian's name. */
  readonly custodians: Readonly<Record<string, { readonly patientId: string }>>;
}

/** Pids kept in memory. */
const MAX_CACHED = 10_000;

/** Look-up in the projection of `care`; members that do not hold `care` find nobody. */
export class PatientLookup {
  readonly #pids = new Map<string, string>();

  constructor(
    private readonly facts: Facts,
    private readonly keys: Pick<KeyStore, 'hmac'>,
    private readonly member: string,
  ) {}

  /** The patient that a custodian knows by this FHIR id: this member, where it gave the id itself. */
  byId(patientId: string): KnownPatient | undefined {
    const pid = this.pidOf(patientId);
    return pid === undefined ? undefined : this.byPid(pid);
  }

  /** Whether this member itself registered a patient under this FHIR id. */
  keeps(patientId: string): boolean {
    return this.facts.fact(PATIENT_SPACE, this.#own(patientId)) !== undefined;
  }

  /** The pid of the patient whom a member knows by this FHIR id, as that member itself said. */
  keptAt(custodian: string, patientId: string): string | undefined {
    return this.facts.fact(PATIENT_SPACE, `${byPatientId(patientId)}${custodian}`);
  }

  /** The pid alone: once this member registered it, it stays. */
  pidOf(patientId: string): string | undefined {
    const known = this.#pids.get(patientId);
    if (known !== undefined) return known;
    const pid = this.facts.fact(PATIENT_SPACE, this.#own(patientId));
    // What another member says is asked for each time: this member may register the id later. Of several who say it the
    // first is believed: ids are seen by all hospitals once they are given, and by nobody before.
    if (pid === undefined) return this.facts.facts(PATIENT_SPACE, byOrder(patientId))[0]?.value;
    if (this.#pids.size >= MAX_CACHED) this.#pids.clear();
    this.#pids.set(patientId, pid);
    return pid;
  }

  byPid(pid: string): KnownPatient | undefined {
    const prefix = byPid(pid);
    const kept = this.facts.facts(PATIENT_SPACE, prefix);
    if (kept.length === 0) return undefined;
    const custodians = kept.map(({ key, value }) => [key.slice(prefix.length), { patientId: value }] as const);
    return { pid, custodians: Object.fromEntries(custodians) };
  }

  /** A pid that nobody has, always the same for the same unknown id: asking for it costs what asking for a patient does. */
  decoy(patientId: string): string {
    return this.keys.hmac('lookup', `decoy pid\n${patientId}`);
  }

  #own(patientId: string): string {
    return `${byPatientId(patientId)}${this.member}`;
  }
}
