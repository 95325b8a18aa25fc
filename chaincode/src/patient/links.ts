/** Which links between custodians' patients are allowed: pure. */
import { heardAtCustodian } from '../access/roles';
import type { Refusal } from '../lib/refusal';
import { type LinkPatients, type LinkSide, type LinkWord, type PatientLink, type PatientRecord, refuse } from './api';

/** Who speaks for a side, who submits it, and whether that member is a hospital by its registry entry in force. */
export interface Voucher {
  readonly word: LinkWord;
  readonly submitter: string;
  readonly isHospital: boolean;
  /** What is wrong with the statement, or with its absence. */
  readonly problem?: string | undefined;
}

/** The version of the link that the next word makes. */
export function nextVersion(link: PatientLink): number {
  return link.state === 'proposed' ? 2 : 3;
}

/** One custodian's side of a new link. Refusals in order of precedence. */
export function propose(
  { linkId, pid, other }: LinkPatients,
  voucher: Voucher,
  isKnown: boolean,
  patient: PatientRecord | undefined,
): PatientLink | Refusal {
  const { word } = voucher;
  const problem = unheard(voucher);
  if (problem !== undefined) return problem;
  if (isKnown) return refuse('link-exists', 'this linkId is taken: draw a new one');
  if (!keeps(word.member, patient)) {
    return refuse('unknown-patient', 'the calling member is no custodian of a patient with this pid');
  }
  if (other.custodian === word.member || other.pid === pid) {
    return refuse('link-to-itself', "a link joins patients of two custodians: other is another member's");
  }
  return { linkId, sides: [{ pid, custodian: word.member, confirmed: word }, other], state: 'proposed' };
}

/** The other custodian's word. Refusals in order of precedence. */
export function confirm(
  link: PatientLink | undefined,
  voucher: Voucher,
  patient: PatientRecord | undefined,
): PatientLink | Refusal {
  const known = standing(link, voucher, patient);
  if (!('sides' in known)) return known;
  const [first, second] = known.sides;
  if (sideOf(known, voucher.word.member)?.confirmed !== undefined) {
    return refuse('link-confirmed', 'the calling member said so before');
  }
  return { ...known, sides: [first, { ...second, confirmed: voucher.word }], state: 'active' };
}

/** Either side's word that they are two persons. Refusals in order of precedence. */
export function end(
  link: PatientLink | undefined,
  voucher: Voucher,
  patient: PatientRecord | undefined,
): PatientLink | Refusal {
  const known = standing(link, voucher, patient);
  return 'sides' in known ? { ...known, state: 'ended', ended: voucher.word } : known;
}

/** The side of a link that a member may speak for. */
export function sideOf(link: PatientLink, member: string): LinkSide | undefined {
  return link.sides.find(({ custodian }) => custodian === member);
}

/** Whether the link leads, now, from a patient of the member's own to this one. */
export function leadsTo(link: PatientLink | undefined, member: string, pid: string): boolean {
  if (link?.state !== 'active') return false;
  return sideOf(link, member) !== undefined && link.sides.some((side) => side.pid === pid && side.custodian !== member);
}

/** A link that goes on and that the member has a side of. */
function standing(
  link: PatientLink | undefined,
  voucher: Voucher,
  patient: PatientRecord | undefined,
): PatientLink | Refusal {
  const problem = unheard(voucher);
  if (problem !== undefined) return problem;
  // Who merely names a decoy of another hospital's has made no link that this one could have heard of.
  const isTheirs = link !== undefined && sideOf(link, voucher.submitter) !== undefined;
  if (!isTheirs || !keeps(voucher.word.member, patient)) {
    return refuse('unknown-link', "no link of this id is of a patient of the calling member's");
  }
  if (link.state === 'ended') return refuse('link-ended', 'this link was ended: make a new one');
  return link;
}

function keeps(member: string, patient: PatientRecord | undefined): boolean {
  return patient !== undefined && Object.hasOwn(patient.custodians, member);
}

function unheard({ word, isHospital, problem }: Voucher): Refusal | undefined {
  if (!isHospital) return refuse('not-a-hospital', 'only hospitals link their patients');
  if (problem !== undefined) return refuse('statement-invalid', `the statement does not count: ${problem}`);
  if (word.statement !== undefined) return undefined;
  if ((heardAtCustodian as readonly string[]).includes(word.role)) return undefined;
  return refuse('not-heard', `only these roles link patients: ${heardAtCustodian.join(', ')}`);
}
