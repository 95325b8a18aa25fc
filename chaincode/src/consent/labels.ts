import type { Coding } from './terms';

/** Sensitivity labels and the code sets that assign them: the one table to review. */

const CONFIDENTIALITY_SYSTEM = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
const SENSITIVITY_SYSTEM = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';

/** From least to most confidential. */
const CONFIDENTIALITY = ['U', 'L', 'M', 'N', 'R', 'V'];
const NORMAL = 'N';
const RESTRICTED = 'R';

/** Labels of substance use, whose records 42 CFR part 2 protects. */
export const PART_2_LABELS = ['ETH', 'ETHUD', 'OPIOIDUD'];

/** 42 CFR 2.32(a)(2): the short form of the notice that goes with what is handed over. */
export const PART_2_NOTICE = '42 CFR part 2 prohibits unauthorized use or disclosure of these records.';

/** No redisclosure without consent directive; as a provision's label an obligation, not a class of data. */
export const NO_REDISCLOSURE = 'NORDSCLCD';

/** A label that also stands for narrower ones. */
const NARROWER: Readonly<Record<string, readonly string[]>> = { ETH: ['ETHUD', 'OPIOIDUD'] };

const SNOMED = 'http://snomed.info/sct';
const LOINC = 'http://loinc.org';
/** The WHO's and its clinical modification, which number these chapters alike. */
const ICD10 = ['http://hl7.org/fhir/sid/icd-10-cm', 'http://hl7.org/fhir/sid/icd-10'];
/** By ingredient. */
const RXNORM = 'http://www.nlm.nih.gov/research/umls/rxnorm';

interface Assignment {
  readonly label: string;
  readonly system: string | readonly string[];
  readonly codes?: readonly string[];
  /** First characters of a code. */
  readonly prefixes?: readonly string[];
}

/** Assigned on write: a resource with one of these codes gets the label and is R. */
const ASSIGNMENTS: readonly Assignment[] = [
  { label: 'ETHUD', system: ICD10, prefixes: ['F10'] },
  { label: 'ETHUD', system: SNOMED, codes: ['7200002', '15167005', '10939881000119105', '66590003'] },
  { label: 'ETHUD', system: LOINC, codes: ['75626-2', '75624-7', '72109-2'] },
  { label: 'ETHUD', system: RXNORM, codes: ['3554', '82819'] },
  { label: 'OPIOIDUD', system: ICD10, prefixes: ['F11'] },
  { label: 'OPIOIDUD', system: SNOMED, codes: ['5602001', '75544000', '231477003'] },
  { label: 'OPIOIDUD', system: RXNORM, codes: ['1819', '6813'] },
  { label: 'ETH', system: ICD10, prefixes: ['F12', 'F13', 'F14', 'F15', 'F16', 'F18', 'F19'] },
  {
    label: 'ETH',
    system: SNOMED,
    codes: ['66214007', '26416006', '191816009', '361055000', '6525002', '55680006', '783261004'],
  },
  { label: 'ETH', system: LOINC, codes: ['82667-7', '82666-9'] },
  { label: 'ETH', system: RXNORM, codes: ['7243'] },
  { label: 'PSY', system: ICD10, prefixes: ['F2', 'F3', 'F4', 'F60'] },
  {
    label: 'PSY',
    system: SNOMED,
    codes: ['35489007', '36923009', '370143000', '58214004', '13746004', '47505003', '197480006', '80583007'],
  },
  { label: 'PSY', system: LOINC, codes: ['44249-1', '44261-6', '69737-5', '70274-6'] },
  { label: 'PSY', system: RXNORM, codes: ['2626', '5093', '35636', '61381', '89013'] },
  { label: 'SDV', system: ICD10, prefixes: ['T74', 'T76', 'Z69'] },
  { label: 'SDV', system: SNOMED, codes: ['706893006', '397940009', '424393004', '95930005'] },
  { label: 'HIV', system: ICD10, prefixes: ['B20', 'B21', 'B22', 'B23', 'B24', 'Z21'] },
  { label: 'HIV', system: SNOMED, codes: ['86406008', '62479008', '165816005', '111880001'] },
  { label: 'HIV', system: LOINC, codes: ['75622-1', '56888-1', '7917-8', '20447-9', '25836-8', '48345-3'] },
  { label: 'HIV', system: RXNORM, codes: ['11413', '53654', '190521', '195085', '343047', '1433868'] },
];

const SYSTEMS = new Set(ASSIGNMENTS.flatMap(({ system }) => system));

/** Whether the table has codes of a system. */
export function isInTable(system: string): boolean {
  return SYSTEMS.has(system);
}

/** Labels a resource carries, present and assigned together, as a high-water mark. */
export interface Labels {
  readonly confidentiality: string;
  readonly sensitivities: readonly string[];
}

/** Sensitivity labels that the table assigns to a resource with these codes. */
function assignedLabels(codes: readonly Coding[]): readonly string[] {
  const labels = ASSIGNMENTS.filter((row) => codes.some((coding) => assigns(row, coding))).map(({ label }) => label);
  return [...new Set(labels)];
}

/** High-water mark of a resource: what it is labelled with, what its codes assign, R where nothing is said. */
export function labelsOf(security: readonly Coding[], codes: readonly Coding[]): Labels {
  const present = security.filter(isSensitivity).map((coding) => coding.code ?? '');
  const sensitivities = [...new Set([...present, ...assignedLabels(codes)])];
  const said = security.filter(isConfidentiality).map((coding) => coding.code ?? '');
  const floor = sensitivities.length > 0 ? [RESTRICTED] : [];
  const levels = [...said, ...floor].sort((a, b) => rank(b) - rank(a));
  return { confidentiality: levels[0] ?? RESTRICTED, sensitivities };
}

/** Codings that the write path adds to `meta.security` (sensitivity with R, else N where nothing is said). */
export function labelsToAssign(security: readonly Coding[], codes: readonly Coding[]): readonly Coding[] {
  const present = new Set(security.map((coding) => coding.code));
  const assigned = assignedLabels(codes).filter((label) => !present.has(label));
  const sensitive = assigned.length > 0 || security.some(isSensitivity);
  const level = sensitive ? RESTRICTED : NORMAL;
  const unsaid = !security.some(isConfidentiality);
  return [
    ...assigned.map((code) => ({ system: SENSITIVITY_SYSTEM, code })),
    ...(unsaid ? [{ system: CONFIDENTIALITY_SYSTEM, code: level }] : []),
  ];
}

/** Whether a rule's labels speak of a resource: a ceiling for a permit, a floor for a denial. */
export function labelsFit(named: readonly Coding[], effect: 'permit' | 'deny', labels: Labels): boolean {
  const levels = named.filter(isConfidentiality).map((coding) => rank(coding.code ?? ''));
  const kinds = named.filter(isSensitivity).map((coding) => coding.code ?? '');
  if (levels.length + kinds.length === 0) return true;
  return effect === 'permit' ? underCeiling(levels, kinds, labels) : overFloor(levels, kinds, labels);
}

/** Whether a coding is a label that classes data, not an obligation. */
export function isDataLabel(coding: Coding): boolean {
  return isConfidentiality(coding) || isSensitivity(coding);
}

function underCeiling(levels: readonly number[], kinds: readonly string[], labels: Labels): boolean {
  if (levels.length > 0 && rank(labels.confidentiality) > Math.max(...levels)) return false;
  if (kinds.length === 0) return true;
  if (levels.length === 0 && labels.sensitivities.length === 0) return false;
  return labels.sensitivities.every((label) => kinds.some((kind) => labelCovers(kind, label)));
}

function overFloor(levels: readonly number[], kinds: readonly string[], labels: Labels): boolean {
  if (levels.length > 0 && rank(labels.confidentiality) >= Math.min(...levels)) return true;
  return labels.sensitivities.some((label) => kinds.some((kind) => labelCovers(kind, label)));
}

function labelCovers(named: string, label: string): boolean {
  return named === label || (NARROWER[named]?.includes(label) ?? false);
}

function isConfidentiality(coding: Coding): boolean {
  return coding.system === CONFIDENTIALITY_SYSTEM;
}

function isSensitivity(coding: Coding): boolean {
  return coding.system === SENSITIVITY_SYSTEM && coding.code !== NO_REDISCLOSURE;
}

function rank(level: string): number {
  const index = CONFIDENTIALITY.indexOf(level);
  return index < 0 ? CONFIDENTIALITY.length : index;
}

function assigns(row: Assignment, { system, code }: Coding): boolean {
  if (system === undefined || code === undefined) return false;
  if (typeof row.system === 'string' ? row.system !== system : !row.system.includes(system)) return false;
  return (row.codes?.includes(code) ?? false) || (row.prefixes?.some((prefix) => code.startsWith(prefix)) ?? false);
}
