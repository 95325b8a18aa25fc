/** The operations on patients in front of the FHIR interface. */
import type { Fhir } from '../fhir/request.js';
import { withPatientKeys, type KeyOperationPorts } from './key-operation.js';
import { withRecordExport, type RecordExportPorts } from './record-operation.js';
import { withRecordImport, type RecordImportPorts } from './import-operation.js';
import { withLinks, type LinkOperationPorts } from './link-operation.js';

/** The FHIR interface with patients' keys, links, exports and imports in front of it. */
export function withPatientOperations(
  fhir: Fhir,
  ports: KeyOperationPorts & LinkOperationPorts & RecordExportPorts & RecordImportPorts,
): Fhir {
  return withRecordImport(withRecordExport(withLinks(withPatientKeys(fhir, ports), ports), ports), ports);
}
