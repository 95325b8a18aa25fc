/**
 * Questions put to doors once the access was ordered, while the peers commit it. A door tells nothing before its own peer
 * has committed the access as valid, and decides then, by what holds then: all that is saved is the way there and the proof.
 */
import type { StoredConsent } from '@salus/chaincode/consent/api';
import { asInForce, mayAskAtAll, replacedAmong } from '@salus/chaincode/consent/decide';

import { inBlockOrder, type ConsentShelf } from '../consent/shelf.js';
import type { DoorCaller } from '../door/caller.js';
import type { JsonObject } from '../fhir/json.js';
import type { KnownPatient } from '../patient/lookup.js';
import type { Actor } from '../ports.js';

/** This member, what it knows of consents, and the doors. */
export interface EarlyPorts {
  readonly member: string;
  readonly shelf: Pick<ConsentShelf, 'active' | 'versions'>;
  readonly doors: Pick<DoorCaller, 'ask'>;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** Answers under way by custodian, as of DoorCaller.ask; undefined also from a door that did not see the access in time. */
export type EarlyAnswers = ReadonlyMap<string, Promise<JsonObject | undefined>>;

/** What is asked, by whom and of whose record, under an access that is being asked for. */
export interface Question {
  readonly aid: string;
  readonly actor: Actor;
  readonly patient: KnownPatient;
  /** By FHIR id at the custodian. */
  readonly path: (patientId: string) => string;
}

/** A question to the doors of those who will most likely permit. */
export class EarlyQuestion {
  #answers: EarlyAnswers | undefined;

  constructor(
    private readonly ports: EarlyPorts,
    private readonly question: Question,
  ) {}

  /** None from doors that were not asked. */
  get answers(): EarlyAnswers {
    return this.#answers ?? new Map();
  }

  /** Asks, the first time. */
  readonly ask = (): void => {
    this.#answers ??= asked(this.ports, this.question);
  };
}

function asked(ports: EarlyPorts, { aid, actor, patient, path }: Question): EarlyAnswers {
  const { user, role } = actor;
  const under = likely(ports, actor, patient).map(({ custodian, patientId }) => {
    const answer = ports.doors.ask({ custodian, aid, actor: { user, role }, path: path(patientId) });
    // Whoever waits for it hears of a failure; where the ledger denies the access nobody does.
    answer.catch(() => undefined);
    return [custodian, answer] as const;
  });
  return new Map(under);
}

/**
 * Custodians whose consents in force, as this member's projection has them, permit asking. It decides nothing: where the
 * ledger decides otherwise a moment later, the door refuses what it was asked.
 */
function likely({ member, shelf, clock }: EarlyPorts, actor: Actor, { pid, custodians }: KnownPatient) {
  const consents = inForce(shelf, pid);
  const now = new Date(clock()).toISOString();
  const { user, role, purpose } = actor;
  return Object.entries(custodians).flatMap(([custodian, { patientId }]) => {
    if (custodian === member) return [];
    const counting = consents.filter(({ countsAt }) => countsAt.includes(custodian)).map(asInForce);
    const request = { custodian, member, user, role, purpose, action: 'access' } as const;
    return mayAskAtAll(request, counting, now).outcome === 'permit' ? [{ custodian, patientId }] : [];
  });
}

/** One that was replaced stays active in words alone. */
function inForce(shelf: EarlyPorts['shelf'], pid: string): readonly StoredConsent[] {
  const replaced = replacedAmong(inBlockOrder(shelf.versions(pid)));
  return shelf.active(pid).filter(({ consentId }) => !replaced.has(consentId));
}
