import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { campaign } from '../support/campaigns.js';
import { FhirServer, type Json } from '../support/fhir-server.js';
import { sharedOrPending } from '../support/shared.js';

/** HL7's own package `hl7.fhir.r4.examples` 4.0.1, unpacked. */
const FOLDER = 'data/hl7.fhir.r4.examples/package';

/** Examples that break R4's own rules: what the first issue is about, and what it says. */
const REFUSED: readonly (readonly [RegExp, string, RegExp])[] = [
  [/^SearchParameter-/, 'SearchParameter.base', /Missing required property/],
  [/^SearchParameter-/, '', /an id has 1 to 64/],
  [/^StructureDefinition-(Definition|Event|FiveWs|Request)\.json$/, 'StructureDefinition', /sdf-4/],
  [/^Bundle-dataelements\.json$/, 'Bundle', /bdl-7/],
  [/^Bundle-v2-valuesets\.json$/, 'Bundle.entry.resource.concept.code', /Invalid code format/],
  [/^CodeSystem-v2-0550\.json$/, 'CodeSystem.concept.code', /Invalid code format/],
  [/^(CodeSystem-dicom-dcim|ValueSet-c80-doc-typecodes)\.json$/, '', /larger than 1 MB/],
  [/^ImplementationGuide-fhir\.json$/, 'ImplementationGuide.name', /Missing required property/],
  [/^Questionnaire-qs1\.json$/, 'Questionnaire.item.item.linkId', /Missing required property/],
  [
    /^(ActivityDefinition-blood-tubes-supply|EventDefinition-example|Questionnaire-zika-virus-exposure-assessment)\./,
    '',
    /txt-2/,
  ],
  [/^DeviceMetric-example\.json$/, 'DeviceMetric.parent.reference', /not to DeviceDefinition/],
  [/^DeviceUseStatement-example\.json$/, 'DeviceUseStatement.reasonReference.reference', /not to Procedure/],
  [
    /^MedicationRequest-medrx0301\.json$/,
    'MedicationRequest.dispenseRequest.performer.reference',
    /not to Practitioner/,
  ],
  [/^Observation-clinical-gender\.json$/, 'Observation.performer.reference', /not to Encounter/],
];

function isRightlyRefused(file: string, { issue: [first] }: Json): boolean {
  const where = String(first.expression?.[0] ?? '').replaceAll(/\[\d+\]/g, '');
  return REFUSED.some(
    ([name, path, said]) => name.test(file) && (path === '' || path === where) && said.test(String(first.diagnostics)),
  );
}

/** Without what the server gives each version, and in an order of its own. */
function bare(text: string): unknown {
  const { meta, ...rest } = JSON.parse(text) as { meta?: Record<string, unknown> };
  const kept = Object.entries(meta ?? {}).filter(([name]) => name !== 'versionId' && name !== 'lastUpdated');
  return kept.length === 0 ? rest : { ...rest, meta: Object.fromEntries(kept) };
}

describe("HL7's example resources of R4", () => {
  it('are stored and come back as they were, or are refused for the rule they break', async function () {
    const folder = sharedOrPending(this, FOLDER);
    const run = campaign('examples');
    const step = run.size({ slice: 25, full: 1 });
    this.timeout(run.size({ slice: 240_000, full: 3_600_000 }));
    const server = new FhirServer();
    const all = readdirSync(folder).filter((file) => /^[A-Z].*\.json$/.test(file));
    let stored = 0;
    for (const file of all.filter((_, at) => (at + run.seed) % step === 0)) {
      const text = readFileSync(join(folder, file), 'utf8').replace(/^\uFEFF/, '');
      const { resourceType, id } = JSON.parse(text) as { resourceType: string; id: string };
      const { status, json } = await server.ask(`PUT ${resourceType}/${id}`, { body: text });
      if (status !== 201) {
        assert.ok(isRightlyRefused(file, json), `${file}: ${status} ${JSON.stringify(json).slice(0, 400)}`);
        continue;
      }
      const { resource } = await server.ask(`GET ${resourceType}/${id}`);
      assert.deepEqual(bare(resource as string), bare(text), file);
      stored += 1;
    }
    await server.close();
    assert.deepEqual(server.faults, []);
    assert.ok(stored > 200, `${stored} stored`);
  });
});
