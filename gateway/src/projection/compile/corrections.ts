/**
 * Where the definitions at hand are not those of R4 4.0.1 (https://hl7.org/fhir/R4/downloads.html): they carry
 * elements, parameters and bindings of their publisher's and of later releases. What R4 lacks is taken out, what it has
 * is put in.
 */
import type { ElementDefinition, StructureDefinition } from './elements.js';

/** Elements that R4 does not have, by what they lie in; what lies in them goes, too. */
const STRANGE: Readonly<Record<string, readonly string[]>> = {
  Meta: ['project', 'author', 'onBehalfOf', 'account', 'accounts', 'compartment', 'deleted'],
  Binary: ['url'],
  DeviceDefinition: ['classification', 'bodySite'],
  'EvidenceVariable.characteristic': [
    ...['linkId', 'note', 'definitionReference', 'definitionCanonical', 'definitionCodeableConcept', 'instances[x]'],
    ...['definitionExpression', 'definitionId', 'definitionByTypeAndValue', 'definitionByCombination', 'duration[x]'],
    'timeFromEvent',
  ],
  HealthcareService: ['offeredIn'],
  ObservationDefinition: ['publisher'],
  ResearchStudy: [
    ...['name', 'label', 'studyDesign', 'region', 'descriptionSummary', 'classifier', 'associatedParty', 'whyStopped'],
    ...['progressStatus', 'recruitment', 'comparisonGroup', 'outcomeMeasure', 'result'],
  ],
  'ResearchStudy.objective': ['description'],
};

/** What is said otherwise in R4 of an element that both have, by path. */
const CHANGED: Readonly<Record<string, object>> = {
  'DetectedIssue.status': { binding: required('observation-status') },
  // A later release's evv-1 counts elements that R4 does not have.
  'EvidenceVariable.characteristic': { min: 1, constraint: [] },
  'EvidenceVariable.characteristic.description': { type: [{ code: 'string' }] },
  'MeasureReport.subject': {
    type: [references('Patient', 'Practitioner', 'PractitionerRole', 'Location', 'Device', 'RelatedPerson', 'Group')],
  },
  'ResearchStudy.site': { type: [references('Location')] },
};

/** An element by its name within another. */
interface Inner {
  readonly path: string;
  readonly min: number;
  readonly max: string;
  readonly type: NonNullable<ElementDefinition['type']>;
  readonly binding?: NonNullable<ElementDefinition['binding']>;
}

/** Elements that R4 has beside those that are left, by what they lie in. */
const MISSING: Readonly<Record<string, readonly Inner[]>> = {
  'EvidenceVariable.characteristic': [
    {
      ...{ path: 'definition[x]', min: 1, max: '1' },
      type: [
        references('Group'),
        ...types('canonical', 'CodeableConcept', 'Expression', 'DataRequirement', 'TriggerDefinition'),
      ],
    },
    { path: 'usageContext', min: 0, max: '*', type: types('UsageContext') },
    { path: 'participantEffective[x]', min: 0, max: '1', type: types('dateTime', 'Period', 'Duration', 'Timing') },
    { path: 'timeFromStart', min: 0, max: '1', type: types('Duration') },
    { path: 'groupMeasure', min: 0, max: '1', type: types('code'), binding: required('group-measure') },
  ],
};

/** Search parameters that R4 does not have, by URL. */
const STRANGE_PARAMETERS = new Set(
  ['DetectedIssue-status', 'DeviceDefinition-classification', 'ServiceRequest-order-detail'].map(
    (id) => `http://hl7.org/fhir/SearchParameter/${id}`,
  ),
);

/** Whether R4 has this search parameter. */
export function isParameterOfR4(url: string): boolean {
  return !STRANGE_PARAMETERS.has(url);
}

/** The definition as R4 has it. */
export function corrected(definition: StructureDefinition): StructureDefinition {
  const element = definition.snapshot.element.filter(({ path }) => !isStrange(path)).flatMap(asInR4);
  return { ...definition, snapshot: { element } };
}

function isStrange(path: string): boolean {
  return Object.entries(STRANGE).some(([parent, names]) =>
    names.some((name) => `${path}.`.startsWith(`${parent}.${name}.`)),
  );
}

/** The element, and what lies in it and is missing. */
function asInR4(element: ElementDefinition): ElementDefinition[] {
  const missing = MISSING[element.path] ?? [];
  const inside = missing.map((each) => `${element.path}.${each.path}`);
  return [
    { ...element, ...CHANGED[element.path] },
    ...missing.map((each, at) => ({ ...each, id: inside[at] ?? '', path: inside[at] ?? '' })),
  ];
}

function types(...codes: readonly string[]): { readonly code: string }[] {
  return codes.map((code) => ({ code }));
}

function references(...targets: readonly string[]): { readonly code: string; readonly targetProfile: string[] } {
  return { code: 'Reference', targetProfile: targets.map((type) => `http://hl7.org/fhir/StructureDefinition/${type}`) };
}

function required(name: string): { readonly strength: string; readonly valueSet: string } {
  return { strength: 'required', valueSet: `http://hl7.org/fhir/ValueSet/${name}|4.0.1` };
}
