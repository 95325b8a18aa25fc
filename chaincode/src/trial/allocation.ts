/** Lists, slots, unblinding and reveal. Pure. */
import { digest } from '../lib/canonical';
import type { Refusal } from '../lib/refusal';
import type { CommitList, EnrolRequest, Reveal, TellArm, ToldArm, UnblindRequest } from './acts';
import { rootOf } from './allotted';
import { consentGate, type ConsentStanding } from './consents';
import type { Protocol } from './protocol';
import type {
  Act,
  ArmsRecord,
  DelegateRecord,
  EligibleRecord,
  ListRecord,
  ParticipantRecord,
  RevealRecord,
  SlotRecord,
  UnblindingRecord,
} from './records';
import { refuse } from './refusals';
import { delegation, says } from './signatures';

/** Commits to a stratum's list, beside those that are committed; a kit belongs to one of them. */
export function commitList(
  request: CommitList,
  protocol: Protocol,
  lists: readonly ListRecord[],
  act: Act,
): ListRecord | Refusal {
  const { stratum, kits } = request;
  if (!protocol.allocation.strata.includes(stratum))
    return refuse('unknown-stratum', 'the protocol has no such stratum');
  if (lists.some((each) => each.stratum === stratum)) {
    return refuse('list-exists', 'a list is committed for this stratum');
  }
  if (new Set(kits).size !== kits.length) return refuse('duplicate-item', 'a kit number is given once');
  const given = new Set(lists.flatMap((each) => each.kits));
  if (kits.some((kit) => given.has(kit))) return refuse('kit-on-list', 'a kit is on the list of another stratum');
  return { ...request, hash: digest(request), ...act };
}

/** What an enrolment is judged by: public facts, and whether the person is claimed. */
export interface EnrolmentFacts {
  readonly list: ListRecord | undefined;
  /** The slot before; undefined where the first is asked for or nobody took it. */
  readonly slotBefore: SlotRecord | undefined;
  readonly slotThere: SlotRecord | undefined;
  readonly participant: ParticipantRecord | undefined;
  readonly isClaimed: boolean;
  readonly consent: ConsentStanding;
  readonly eligible: EligibleRecord | undefined;
  /** The protocol version in force. */
  readonly version: number;
}

/** Takes the next slot of a stratum: none is skipped, none taken twice. */
export function enrol(request: EnrolRequest, facts: EnrolmentFacts, act: Act): ParticipantRecord | Refusal {
  const { list, participant, consent, version } = facts;
  if (list === undefined) return refuse('unknown-stratum', 'no list is committed for this stratum');
  if (participant !== undefined) return refuse('already-enrolled', 'this participant has a slot');
  const problem = gate(facts, act) ?? slotProblem(request, list, facts);
  if (problem !== undefined) return problem;
  const { stratum, slot } = request;
  const kit = list.kits[slot - 1] ?? '';
  return { site: act.by.member, stratum, slot, kit, consent: consent.newest?.n ?? 0, version, ...act };
}

function gate({ isClaimed, consent, eligible, version }: EnrolmentFacts, { by }: Act): Refusal | undefined {
  if (!isClaimed) return refuse('not-claimed', 'claim the person first: trial:claim');
  const problem = consentGate(consent, undefined);
  if (problem !== undefined) return problem;
  if (eligible?.version !== version) {
    return refuse('not-eligible', 'the site declares eligibility by the version in force first');
  }
  const isOwn = eligible.by.member === by.member && consent.newest?.by.member === by.member;
  return isOwn ? undefined : refuse('not-your-participant', 'another site has the consent or the eligibility');
}

function slotProblem({ slot }: EnrolRequest, list: ListRecord, facts: EnrolmentFacts): Refusal | undefined {
  if (slot > list.kits.length) return refuse('list-exhausted', 'the list of this stratum has no such slot');
  if (facts.slotThere !== undefined) return refuse('slot-taken', 'propose the next slot');
  if (slot > 1 && facts.slotBefore === undefined) return refuse('slot-skipped', 'propose the lowest slot not taken');
  return undefined;
}

/** The record of a slot that a participant takes. */
export function slotOf(participant: string, { slot, kit, by, at, tx }: ParticipantRecord): SlotRecord {
  return { slot, kit, participant, by, at, tx };
}

/** Asks for one arm: the fact is public, the arm is not. */
export function unblindOne(
  { stratum, slot, reason, delegate: kid }: UnblindRequest,
  taken: SlotRecord | undefined,
  known: UnblindingRecord | undefined,
  delegate: DelegateRecord | undefined,
  act: Act,
): UnblindingRecord | Refusal {
  const stranger = delegation(delegate, act.by);
  if (stranger !== undefined) return stranger;
  if (taken === undefined) return refuse('unknown-slot', 'nobody took this slot');
  if (taken.by.member !== act.by.member)
    return refuse('not-your-participant', 'another site enrolled this participant');
  if (known !== undefined) return refuse('already-unblinded', 'this slot was unblinded');
  return { stratum, slot, participant: taken.participant, reason, delegate: kid, ...act };
}

/** What a wish to be told an arm is judged by. */
export interface TellingFacts {
  readonly channel: string;
  readonly unblinding: UnblindingRecord | undefined;
  /** The delegation of the person whom the unblinding names. */
  readonly delegate: DelegateRecord | undefined;
  readonly arms: ArmsRecord | undefined;
}

/** One arm, to the one person whom an unblinding on record names, and who signed the key that it is sealed for. */
export function tellArm(
  { trial, stratum, slot, to, statement }: TellArm,
  { channel, unblinding, delegate, arms }: TellingFacts,
): ToldArm | Refusal {
  const found = arms?.slots[slot - 1];
  if (unblinding === undefined || found === undefined) {
    return refuse('not-unblinded', 'no unblinding of this slot is on record, or its arm is not kept here');
  }
  if (delegate === undefined || delegate.ended !== undefined) {
    return refuse('not-delegated', 'the person whom the unblinding names is no longer on the delegation log');
  }
  if (!says(statement, delegate.jwk, { channel, trial, stratum, slot, meaning: 'tell-arm', to })) {
    return refuse('signature-invalid', 'the person whom the unblinding names signs exactly this slot and key');
  }
  return { arm: found.arm, kit: found.kit, site: unblinding.by.member };
}

/** Whether a list in clear is the one committed to. */
export function matches({ trial, stratum, slots }: Reveal, list: ListRecord | undefined): boolean {
  if (list === undefined) return false;
  const isInOrder = slots.every(({ slot, kit }, index) => slot === index + 1 && kit === list.kits[index]);
  return isInOrder && slots.length === list.kits.length && rootOf(trial, stratum, slots) === list.root;
}

/** Reveals a whole list. */
export function reveal(
  request: Reveal,
  list: ListRecord | undefined,
  known: RevealRecord | undefined,
  act: Act,
): RevealRecord | Refusal {
  if (!matches(request, list)) {
    return refuse('reveal-mismatch', 'slots, kits, arms and nonces must be those that the list was committed with');
  }
  if (known !== undefined) return refuse('already-revealed', 'this list is revealed');
  return { stratum: request.stratum, slots: request.slots, ...act };
}
