/**
 * How likely two Patients are one person: weights of agreement and disagreement by field, as in probabilistic record
 * linkage (Fellegi and Sunter 1969), names compared by Jaro-Winkler similarity. Pure.
 */
import { CmpStr } from 'cmpstr';

import type { JsonObject } from './json.js';

/** Grades of the extension http://hl7.org/fhir/StructureDefinition/match-grade. */
export type MatchGrade = 'certain' | 'probable' | 'possible' | 'certainly-not';

/** How likely two Patients are one person. */
export interface Likeness {
  /** Probability from 0 to 1. */
  readonly score: number;
  readonly grade: MatchGrade;
}

/** What of a Patient is compared, as it is spelt there. */
export interface Traits {
  /** Value by system. */
  readonly identifiers: ReadonlyMap<string, string>;
  readonly families: readonly string[];
  readonly givens: readonly string[];
  /** YYYYMMDD. */
  readonly birthDate: string | undefined;
  readonly gender: string | undefined;
  readonly postalCodes: readonly string[];
  readonly telecoms: readonly string[];
}

/** Binary logarithms of the likelihood ratios where a field agrees, and where it does not. */
interface Weight {
  readonly agree: number;
  readonly differ: number;
}

/**
 * From the probability that a field agrees for one person (m) and for two (u), such as 0.95 and 0.002 for family names:
 * log2(m/u) and log2((1-m)/(1-u)).
 */
const WEIGHTS: Readonly<
  Record<'identifier' | 'family' | 'given' | 'birthDate' | 'gender' | 'postal' | 'telecom', Weight>
> = {
  identifier: { agree: 19.9, differ: -6.6 },
  family: { agree: 8.9, differ: -4.3 },
  given: { agree: 6.5, differ: -3.8 },
  birthDate: { agree: 13, differ: -5 },
  gender: { agree: 1, differ: -5.6 },
  postal: { agree: 7.3, differ: -2.3 },
  telecom: { agree: 12.8, differ: -1.7 },
};
/** Characters of a name or number that are compared. */
export const COMPARED_CHARACTERS = 256;
/** Before anything is compared: one in about 16,000 candidates. */
const PRIOR = -14;
/** Names less alike than this differ. */
const ALIKE = 0.75;
/** A birth date with one digit wrong, or two exchanged, of eight. */
const ONE_SLIP = 0.87;
const LEAST: Readonly<Record<Exclude<MatchGrade, 'certainly-not'>, number>> = {
  certain: 0.99,
  probable: 0.9,
  possible: 0.5,
};

/** Fields that must agree for a certain match: one of these lists. */
const PROOFS = (['identifier', 'telecom', 'postal'] as const).map(
  (field) => ['family', 'given', 'birthDate', field] as const,
);

const names = CmpStr.create({ metric: 'jaroWinkler' });
const slips = CmpStr.create({ metric: 'damerau' });

/** Compares what was asked for with what is kept. */
export function likeness(asked: Traits, kept: Traits): Likeness {
  const parts = agreements(asked, kept);
  const sum = parts.reduce((total, { weight, agreement }) => total + between(weight, agreement), PRIOR);
  const score = 1 / (1 + 2 ** -sum);
  return { score: Math.round(score * 1e4) / 1e4, grade: gradeOf(score, parts) };
}

interface Part {
  readonly field: keyof typeof WEIGHTS;
  readonly weight: Weight;
  /** From 0, differs, to 1, agrees. */
  readonly agreement: number;
}

/** Of the fields that both have. */
function agreements(asked: Traits, kept: Traits): Part[] {
  const best = (one: readonly string[], other: readonly string[], alike: (a: string, b: string) => number) =>
    one.length === 0 || other.length === 0 ? undefined : Math.max(...one.flatMap((a) => other.map((b) => alike(a, b))));
  const only = (value: string | undefined): readonly string[] => (value === undefined ? [] : [value]);
  const found: Readonly<Record<keyof typeof WEIGHTS, number | undefined>> = {
    identifier: identifierAgreement(asked.identifiers, kept.identifiers),
    family: best(asked.families, kept.families, nameAlike),
    given: best(asked.givens, kept.givens, nameAlike),
    birthDate: best(only(asked.birthDate), only(kept.birthDate), dateAlike),
    gender: best(only(asked.gender), only(kept.gender), same),
    postal: best(asked.postalCodes, kept.postalCodes, same),
    telecom: best(asked.telecoms, kept.telecoms, same),
  };
  return (Object.keys(WEIGHTS) as Part['field'][]).flatMap((field) => {
    const agreement = found[field];
    return agreement === undefined ? [] : [{ field, weight: WEIGHTS[field], agreement }];
  });
}

/** Of the systems both have, however the value is spaced: one that agrees outweighs one that does not. */
function identifierAgreement(
  asked: ReadonlyMap<string, string>,
  kept: ReadonlyMap<string, string>,
): number | undefined {
  const shared = [...asked].filter(([system]) => kept.has(system));
  if (shared.length === 0) return undefined;
  return shared.some(([system, value]) => same(kept.get(system) ?? '', value) === 1) ? 1 : 0;
}

function between({ agree, differ }: Weight, agreement: number): number {
  return differ + (agree - differ) * agreement;
}

/** Certain is only what an identifier or two further fields beside the name say, with nothing against it. */
function gradeOf(score: number, parts: readonly Part[]): MatchGrade {
  const agrees = (field: Part['field']): boolean => parts.some((part) => part.field === field && part.agreement >= 0.9);
  const against = parts.some(({ agreement }) => agreement < 0.5);
  const proven = PROOFS.some((fields) => fields.every(agrees));
  if (score >= LEAST.certain && proven && !against) return 'certain';
  if (score >= LEAST.probable) return 'probable';
  return score >= LEAST.possible ? 'possible' : 'certainly-not';
}

function same(one: string, other: string): number {
  return folded(one) === folded(other) ? 1 : 0;
}

function nameAlike(one: string, other: string): number {
  const [a, b] = [folded(one), folded(other)];
  if (a === b) return 1;
  return Math.max(0, (names.compare(a, b) - ALIKE) / (1 - ALIKE));
}

function dateAlike(one: string, other: string): number {
  if (one === other) return 1;
  return slips.compare(one, other) >= ONE_SLIP ? 0.7 : 0;
}

/** Reads a Patient's traits; values that say nothing are left out. */
export function traitsOf(patient: JsonObject): Traits {
  const names = listOf(patient.name);
  const birthDate = typeof patient.birthDate === 'string' ? patient.birthDate.replaceAll('-', '') : '';
  return {
    identifiers: new Map(listOf(patient.identifier).flatMap(identifierOf)),
    families: names.flatMap(({ family }) => texts(family)),
    givens: names.flatMap(({ given }) => (Array.isArray(given) ? (given as unknown[]).flatMap(texts) : [])),
    birthDate: /^\d{8}$/.test(birthDate) ? birthDate : undefined,
    gender: typeof patient.gender === 'string' && patient.gender !== 'unknown' ? patient.gender : undefined,
    postalCodes: listOf(patient.address).flatMap(({ postalCode }) => texts(postalCode)),
    telecoms: listOf(patient.telecom).flatMap(({ value }) => texts(value)),
  };
}

function identifierOf({ system, value }: JsonObject): [string, string][] {
  return typeof system === 'string' && typeof value === 'string' && value !== '' ? [[system, value]] : [];
}

function listOf(value: unknown): readonly JsonObject[] {
  const list = Array.isArray(value) ? (value as unknown[]) : [];
  return list.filter((each): each is JsonObject => typeof each === 'object' && each !== null);
}

/** A text that says something. */
function texts(value: unknown): string[] {
  return typeof value === 'string' && folded(value) !== '' ? [value.trim()] : [];
}

/** Without case, accents, spaces and punctuation; of a long text its start, since normalising costs the square of it. */
function folded(text: string): string {
  return text
    .slice(0, COMPARED_CHARACTERS)
    .normalize('NFD')
    .toLowerCase()
    .replaceAll(/[^\p{Letter}\p{Number}@]/gu, '');
}
