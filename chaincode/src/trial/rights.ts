/** Who may do what, when: role x action x state of the trial, as data. The page docs/trial-rights.md is made from it. */
import type { Role } from '../access/roles';
import type { Refusal } from '../lib/refusal';
import { refuse } from './refusals';
import type { Parties } from './protocol';

/** The states a trial goes through; `unregistered` while nothing of its name is there. */
export const phases = ['unregistered', 'registered', 'active', 'enrolling', 'halted', 'locked', 'unblinded'] as const;
/** One of `phases`. */
export type Phase = (typeof phases)[number];

/** One of `phases` but `unregistered`. */
export type RegisteredPhase = Exclude<Phase, 'unregistered'>;

/** The parts members play. */
type Part = 'sponsor' | 'allocator' | 'board' | 'ethics' | 'regulator' | 'site';

/** Roles that act in a trial, and for which part's member each may act. */
export const partsOf = {
  sponsor: ['sponsor'],
  cro: ['allocator'],
  statistician: ['allocator'],
  monitor: ['sponsor', 'allocator'],
  investigator: ['site'],
  coordinator: ['site'],
  pharmacist: ['site'],
  // Who packs and ships a kit knows its lot, and so its arm: that is the allocator's depot, never the sponsor.
  'supply-operator': ['allocator'],
  patient: ['site'],
  ethics: ['ethics'],
  board: ['board'],
  regulator: ['regulator'],
  // The member's own gateway, which says what came through its door, and what consents decide.
  admin: ['sponsor', 'regulator', 'site'],
} as const satisfies Partial<Record<Role, readonly Part[]>>;

/** One of the roles that act in a trial. */
export type TrialRole = keyof typeof partsOf;

interface Right {
  readonly roles: readonly TrialRole[];
  readonly phases: readonly Phase[];
}

const always = ['registered', 'active', 'enrolling', 'halted', 'locked', 'unblinded'] as const;
const beforeLock = ['registered', 'active', 'enrolling', 'halted'] as const;
const recruiting = ['active', 'enrolling'] as const;
const running = ['active', 'enrolling', 'halted'] as const;
const withParticipants = ['enrolling', 'halted'] as const;
const safety = ['active', 'enrolling', 'halted', 'locked', 'unblinded'] as const;
const accountable = ['active', 'enrolling', 'halted', 'locked', 'unblinded'] as const;
const onSite = ['investigator', 'coordinator'] as const;
const delegating = ['investigator', 'sponsor', 'cro', 'statistician', 'ethics', 'regulator', 'board'] as const;

/** The table: an action is allowed to these roles in these states, and to nobody else. */
export const rights = {
  register: { roles: ['sponsor'], phases: ['unregistered'] },
  'register-version': { roles: ['sponsor'], phases: always },
  'sign-version': { roles: ['sponsor'], phases: always },
  'approve-version': { roles: ['ethics', 'regulator'], phases: always },
  'activate-version': { roles: ['sponsor'], phases: always },
  'commit-list': { roles: ['statistician'], phases: ['registered'] },
  'keep-arms': { roles: ['statistician'], phases: ['registered', 'active', 'enrolling', 'halted', 'locked'] },
  'approve-list': { roles: ['regulator'], phases: ['registered'] },
  'publish-document': { roles: ['sponsor'], phases: beforeLock },
  'adopt-document': { roles: ['ethics'], phases: beforeLock },
  // Also when locked: an unlock and what follows are signed, and a key that was ended is replaced.
  delegate: { roles: delegating, phases: always },
  'end-delegation': { roles: delegating, phases: always },
  consent: { roles: ['investigator'], phases: running },
  withdraw: { roles: ['patient', 'investigator', 'coordinator'], phases: [...running, 'locked', 'unblinded'] },
  'restrict-use': { roles: ['admin'], phases: [...running, 'locked', 'unblinded'] },
  'declare-eligible': { roles: ['investigator'], phases: recruiting },
  claim: { roles: onSite, phases: recruiting },
  'new-secret': { roles: onSite, phases: recruiting },
  enrol: { roles: onSite, phases: recruiting },
  'unblind-one': { roles: ['investigator'], phases: [...withParticipants, 'locked'] },
  halt: { roles: ['board'], phases: recruiting },
  resume: { roles: ['board'], phases: ['halted'] },
  'record-look': { roles: ['statistician', 'board'], phases: withParticipants },
  enter: { roles: onSite, phases: withParticipants },
  correct: { roles: onSite, phases: withParticipants },
  answer: { roles: onSite, phases: withParticipants },
  query: { roles: ['monitor', 'cro'], phases: withParticipants },
  propose: { roles: ['sponsor'], phases: withParticipants },
  clean: { roles: ['cro'], phases: withParticipants },
  verify: { roles: ['monitor'], phases: withParticipants },
  sign: { roles: ['investigator'], phases: withParticipants },
  freeze: { roles: ['cro'], phases: withParticipants },
  'lock-point': { roles: ['cro'], phases: withParticipants },
  'unlock-point': { roles: ['cro'], phases: withParticipants },
  'ship-kit': { roles: ['supply-operator'], phases: running },
  'receive-kit': { roles: ['pharmacist'], phases: running },
  'excursion-kit': { roles: ['pharmacist'], phases: running },
  'release-kit': { roles: ['supply-operator'], phases: running },
  'dispense-kit': { roles: ['pharmacist'], phases: withParticipants },
  'return-kit': { roles: ['pharmacist'], phases: accountable },
  'reconcile-kit': { roles: ['monitor'], phases: accountable },
  'open-kit': { roles: ['supply-operator'], phases: ['unblinded'] },
  lock: { roles: ['cro'], phases: withParticipants },
  unlock: { roles: ['cro'], phases: ['locked'] },
  reveal: { roles: ['statistician'], phases: ['locked', 'unblinded'] },
  'post-results': { roles: ['sponsor'], phases: ['unblinded'] },
  'report-event': { roles: ['investigator'], phases: safety },
  'assess-event': { roles: ['sponsor'], phases: safety },
  'submit-event': { roles: ['sponsor'], phases: safety },
  'acknowledge-event': { roles: ['sponsor', 'regulator', 'admin'], phases: safety },
} as const satisfies Readonly<Record<string, Right>>;

/** One of the actions of the table. */
export type Action = keyof typeof rights;

/** Who acts: the role vouched for, and the member by its certificate. */
export interface Doer {
  readonly member: string;
  readonly role: string;
}

/** Refuses in this order: a role without the right, a member without the part, a state in which it is not done. */
export function permit(action: Action, doer: Doer, parties: Parties, phase: Phase): Refusal | undefined {
  const right: Right = rights[action];
  const role = right.roles.find((each) => each === doer.role);
  if (role === undefined) {
    return refuse('not-your-role', `${action} is done by: ${right.roles.join(', ')}`);
  }
  if (!playsPartOf(role, doer.member, parties)) {
    return refuse('not-a-party', `the calling member plays no part of this trial in which a ${role} acts`);
  }
  if (!right.phases.includes(phase)) {
    return refuse('not-now', `${action} is done while the trial is: ${right.phases.join(', ')}`);
  }
  return undefined;
}

/** Whether the member plays a part of the trial in which somebody of this role acts. */
export function playsPartOf(role: string, member: string, parties: Parties): boolean {
  const parts: readonly Part[] = Object.hasOwn(partsOf, role) ? partsOf[role as TrialRole] : [];
  return parts.some((part) => membersOf(part, parties).includes(member));
}

function membersOf(part: Part, parties: Parties): readonly string[] {
  const { sponsor, allocator, board, ethics, regulators, sites } = parties;
  const table = {
    sponsor: [sponsor],
    allocator: [allocator],
    board: [board],
    ethics,
    regulator: regulators,
    site: sites,
  };
  return table[part];
}
