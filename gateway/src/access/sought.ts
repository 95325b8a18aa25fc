/** What is asked of other members' records, and what comes of it in an emergency. */
import type { JsonObject } from '../fhir/json.js';

/** What came of breaking the glass. */
export interface EmergencyAnswer {
  /** The access: what a second act follows. */
  readonly aid: string;
  /** Custodians that opened. */
  readonly custodians: readonly string[];
  /** Custodians whose privacy officer is asked. */
  readonly waiting: readonly string[];
  /** Custodians that could not be asked; the bundle says so. */
  readonly missing: readonly string[];
  /** A searchset, as of `$everything`. */
  readonly bundle: JsonObject;
}

/** A patient at a custodian, or a decoy's pid alone. */
export type SoughtPatient =
  | { readonly pid: string; readonly custodian: string; readonly patientId: string }
  | { readonly pid: string; readonly custodian?: undefined; readonly patientId?: undefined };

/** A patient whom a link leads to. */
export interface AskedLink {
  readonly linkId: string;
  readonly pid: string;
  readonly custodian: string;
  /** FHIR id at that custodian. */
  readonly patientId: string;
}
