/** What a manufacturer's system writes: packs commissioned, each in a capture of its own, asked after until it has ended. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bearer, Members } from '../members.js';
import { type Answer, askMember, type Request } from './ask.js';
import { eventIdOf, ISSUER, markOf, packOf } from './marks.js';
import type { Piece, Source } from './writer.js';

const OPERATOR: Bearer = { subject: 'operator', role: 'supply-operator' };
const CONTEXT = [
  'https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld',
  { cbvmda: 'urn:epcglobal:cbv:mda#' },
];
const LOOK_MS = 100;
const ALREADY = 'epcisException:ResourceAlreadyExistsException';
/** A capture that ended in vain, as FHIR's gateways answer such a write. */
const IN_VAIN = 422;

/** A capture's job, as the interface shows it. */
interface Job {
  readonly running: boolean;
  readonly success: boolean;
  readonly errors?: readonly { readonly type: string }[];
  readonly effects?: readonly { readonly state: string; readonly code?: string }[];
}

/** Packs numbered from a number on. */
export function captures(members: Members, first: number): Source {
  let number = first;
  return {
    next: () => {
      number += 1;
      return new Capture(members, number);
    },
  };
}

/** One capture: what is promised by 202 is asked after at its place. */
class Capture implements Piece {
  readonly kind = 'capture';
  readonly marks: readonly [string, string];
  private place: string | undefined;
  private tries = 0;
  private readonly eventID: string;

  constructor(
    private readonly members: Members,
    number: number,
  ) {
    this.eventID = eventIdOf(number);
    this.marks = [markOf.event(this.eventID), markOf.pack(number)];
  }

  idsIn(): string[] {
    return [this.eventID, this.marks[1]];
  }

  async attempt(gateway: number, _key: string, patienceMs: number): Promise<Answer> {
    const end = Date.now() + patienceMs;
    if (this.place === undefined) {
      this.tries += 1;
      const taken = await this.ask(gateway, { method: 'POST', path: '/epcis/capture', body: this.document() }, end);
      if (taken.status !== 202) return taken;
      this.place = taken.location ?? '';
    }
    while (Date.now() < end) {
      const answer = await this.ask(gateway, { path: this.place }, end);
      const told = answer.status === 200 ? this.meaningOf(answer) : { ...answer, status: 0 };
      if (told !== undefined) return told;
      await sleep(LOOK_MS);
    }
    return { status: 202, text: '' };
  }

  /** What a job's state says; undefined while it goes on. */
  private meaningOf({ text }: Answer): Answer | undefined {
    const { running, success, errors = [], effects = [] } = JSON.parse(text) as Job;
    if (running || effects.some(({ state }) => state === 'unknown')) return undefined;
    const isThere = errors.some(({ type }) => type === ALREADY) && this.tries > 1;
    const isDone = success && effects.every(({ state }) => state === 'done');
    return { status: isDone || isThere ? 201 : IN_VAIN, text };
  }

  private ask(gateway: number, { headers, ...request }: Omit<Request, 'bearer'>, end: number): Promise<Answer> {
    const json = { 'content-type': 'application/json', accept: 'application/json', ...headers };
    const place = { member: ISSUER, gateway };
    return askMember(
      this.members,
      place,
      { ...request, bearer: OPERATOR, headers: json },
      Math.max(1, end - Date.now()),
    );
  }

  private document(): string {
    const { lot, epc } = packOf(this.marks[1]);
    const event = {
      type: 'ObjectEvent',
      eventID: this.eventID,
      eventTime: '2026-03-04T11:00:30.000+01:00',
      eventTimeZoneOffset: '+01:00',
      bizStep: 'commissioning',
      disposition: 'active',
      action: 'ADD',
      epcList: [epc],
      ilmd: { 'cbvmda:lotNumber': lot, 'cbvmda:itemExpirationDate': '2099-12-31' },
    };
    return JSON.stringify({
      '@context': CONTEXT,
      type: 'EPCISDocument',
      schemaVersion: '2.0',
      creationDate: '2026-03-06T00:00:00Z',
      epcisBody: { eventList: [event] },
    });
  }
}
