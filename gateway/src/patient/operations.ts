/** The operations on patients in front of the FHIR interface. */
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import { withPatientKeys, type KeyOperationPorts } from './key-operation.js';
import { withLinks, type LinkOperationPorts } from './link-operation.js';

type Fhir = (request: FhirRequest) => Promise<FhirResponse>;

/** The FHIR interface with patients' keys and links in front of it. */
export function withPatientOperations(fhir: Fhir, ports: KeyOperationPorts & LinkOperationPorts): Fhir {
  return withLinks(withPatientKeys(fhir, ports), ports);
}
