/**
 * Which purposes of use a rule's purpose covers, each listed by hand (HL7 v3 PurposeOfUse). A trial is research here,
 * never treatment. BTG stands outside: only a rule that names BTG speaks of it.
 */
const COVERS: Readonly<Record<string, readonly string[]>> = {
  TREAT: ['TREAT', 'CAREMGT', 'COC', 'ETREAT'],
  HPAYMT: ['HPAYMT', 'CLMATTCH', 'COVAUTH', 'COVERAGE', 'ELIGDTRM', 'ELIGVER', 'ENROLLM', 'REMITADV', 'PREDTRM'],
  HOPERAT: [
    'HOPERAT',
    'CAREMGT',
    'HLEGAL',
    'HOUTCOMS',
    'HPRGRP',
    'HQUALIMP',
    'HSYSADMIN',
    'MEMADMIN',
    'PATADMIN',
    'HCOMPL',
    'PATSFTY',
    'FRAUD',
  ],
  HRESCH: [
    'HRESCH',
    'BIORCH',
    'CLINTRCH',
    'CLINTRCHNPC',
    'CLINTRCHPC',
    'PRECLINTRCH',
    'DSRCH',
    'POARCH',
    'TRANSRCH',
    'CLINTRL',
  ],
  CLINTRCH: ['CLINTRCH', 'CLINTRCHNPC', 'CLINTRCHPC', 'CLINTRL'],
  PATRQT: ['PATRQT', 'FAMRQT', 'PWATRNY', 'SUPNWK'],
};

/** Every code of HL7 v3 PurposeOfUse as R4 has it, and those above. */
const CODES = new Set([
  ...[
    'HMARKT',
    'HOPERAT',
    'CAREMGT',
    'DONAT',
    'FRAUD',
    'GOV',
    'HACCRED',
    'HCOMPL',
    'HDECD',
    'HDIRECT',
    'HDM',
    'HLEGAL',
  ],
  ...[
    'HOUTCOMS',
    'HPRGRP',
    'HQUALIMP',
    'HSYSADMIN',
    'LABELING',
    'METAMGT',
    'MEMADMIN',
    'MILCDM',
    'PATADMIN',
    'PATSFTY',
  ],
  ...['PERFMSR', 'RECORDMGT', 'SYSDEV', 'HTEST', 'TRAIN', 'HPAYMT', 'CLMATTCH', 'COVAUTH', 'COVERAGE', 'ELIGDTRM'],
  ...['ELIGVER', 'ENROLLM', 'MILDCRG', 'REMITADV', 'HRESCH', 'BIORCH', 'CLINTRCH', 'CLINTRCHNPC', 'CLINTRCHPC'],
  ...['PRECLINTRCH', 'DSRCH', 'POARCH', 'TRANSRCH', 'PATRQT', 'FAMRQT', 'PWATRNY', 'SUPNWK', 'PUBHLTH', 'DISASTER'],
  ...['THREAT', 'TREAT', 'CLINTRL', 'COC', 'ETREAT', 'BTG', 'ERTREAT', 'POPHLTH'],
  ...Object.values(COVERS).flat(),
]);

/** Whether a code is a purpose of use at all: a rule for another would speak of nothing. */
export function isPurpose(code: string): boolean {
  return CODES.has(code);
}

/** Break-glass, which no other purpose covers. */
export const BREAK_GLASS = 'BTG';

/** Whether a rule that names the purpose `named` speaks of a request for `asked`. */
export function purposeCovers(named: string, asked: string): boolean {
  return named === asked || (COVERS[named]?.includes(asked) ?? false);
}
