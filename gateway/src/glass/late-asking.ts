/**
 * The asking member's side of break-glass while the ledger is away: what is asked is signed and on disk before it is asked
 * at the custodians' doors, and goes to the ledger whatever they answer.
 */
import { randomBytes } from 'node:crypto';

import type { AccessScope, BreakGlass, SignedLate } from '@salus/chaincode/access/api';

import type { SigningKey } from '../identity/keys.js';
import { signCanonical } from '../identity/statements.js';
import { Refusal } from '../ledger/refusal.js';
import type { KnownPatient } from '../patient/lookup.js';
import type { Actor } from '../ports.js';
import type { Directory } from '../registry/directory.js';
import { LATE_GLASS_PATH, type LateAnswer, type LateQuestion } from './late-door.js';
import { actId, type LateLog } from './late-log.js';

/** Who signs, where it is kept, and how doors are asked. */
export interface LateAskingPorts {
  readonly member: string;
  readonly channel: string;
  readonly signingKey: SigningKey;
  readonly directory: Pick<Directory, 'names' | 'roles'>;
  readonly log: LateLog;
  /** Whether the own ledger is away, by an own look. */
  readonly isAway: () => Promise<boolean>;
  readonly say: (member: string, path: string, words: object) => Promise<unknown>;
  /** Hears of a custodian that could not be asked. */
  readonly onMissing: (custodian: string, error: unknown) => void;
  /** FHIR instant. */
  readonly now: () => string;
}

/** What is asked, and why. */
export interface LateWish {
  /** Of nobody's patient a decoy's. */
  readonly pid: string;
  /** Undefined where nobody has the patient: hospitals are asked all the same. */
  readonly patient: KnownPatient | undefined;
  readonly scope: AccessScope;
  readonly breakGlass: BreakGlass;
  readonly text: string;
}

/** What came of it. */
export interface LateAccess {
  readonly aid: string;
  /** Custodians that opened. */
  readonly custodians: readonly string[];
}

/** In place of the reason, which custodians alone are told. */
const UNSAID = '-';

type Standing = LateAnswer['state'] | 'refused' | 'missing';

const WHY = {
  'ledger-here': ['ask-ordinarily', 'the ledger answers at the custodian: it must be asked by way of the ledger'],
  spent: ['budget-spent', 'too much was opened without the ledger in this hour: try again later'],
  missing: ['custodian-missing', 'neither the ledger nor the custodian answers: try again later'],
} as const;

/** Asks custodians in an emergency while the ledger is away. */
export class LateAsking {
  constructor(private readonly ports: LateAskingPorts) {}

  /** Whether the own ledger is away. */
  get isAway(): () => Promise<boolean> {
    return this.ports.isAway;
  }

  /** Keeps the request and asks every custodian and hospital; none opens where it is denied or there is nobody. Throws Refusal. */
  async ask({ user, role, purpose }: Actor, wish: LateWish): Promise<LateAccess> {
    const { member, channel, signingKey, now, log } = this.ports;
    const { pid, scope, breakGlass, text } = wish;
    const aid = randomBytes(32).toString('hex');
    const said: SignedLate = {
      channel,
      aid,
      member,
      pid,
      actor: { user, role },
      purpose,
      scope,
      breakGlass,
      at: now(),
    };
    const request = await signCanonical(said, signingKey);
    const act = { side: 'asked', request, awaited: [] } as const;
    const id = actId(aid, act);
    return await log.acts.under(id, act, async () => {
      const keeping = this.#custodiansOf(wish.patient);
      const asked = keeping.map((each) => this.#standing(each, { request, text }));
      const others = this.#hospitals.filter((name) => !keeping.includes(name));
      const alike = others.map((each) => this.#standing(each, { request, text: UNSAID }));
      const answers = await Promise.all(asked);
      const custodians = answers.filter(({ state }) => state === 'queued').map(({ custodian }) => custodian);
      log.acts.keep(id, { ...act, awaited: custodians });
      if (custodians.length === 0) throwWhy([...answers, ...(await Promise.all(alike))].map(({ state }) => state));
      return { aid, custodians };
    });
  }

  /** The patient's other custodians; none of nobody's. */
  #custodiansOf(patient: KnownPatient | undefined): readonly string[] {
    return Object.keys(patient?.custodians ?? {}).filter((name) => name !== this.ports.member);
  }

  /** All other hospitals are asked, whosever the patient is: why nothing opened tells nothing of that. */
  get #hospitals(): readonly string[] {
    const { member, directory } = this.ports;
    return directory.names.filter((name) => name !== member && directory.roles(name).includes('hospital'));
  }

  async #standing(custodian: string, question: LateQuestion): Promise<{ custodian: string; state: Standing }> {
    try {
      const answer = (await this.ports.say(custodian, LATE_GLASS_PATH, question)) as LateAnswer | undefined;
      return { custodian, state: answer?.state ?? 'refused' };
    } catch (error) {
      this.ports.onMissing(custodian, error);
      return { custodian, state: 'missing' };
    }
  }
}

function throwWhy(states: readonly Standing[]): void {
  for (const state of ['ledger-here', 'spent', 'missing'] as const) {
    const [code, detail] = WHY[state];
    if (states.includes(state)) throw new Refusal('unavailable', code, detail);
  }
}
