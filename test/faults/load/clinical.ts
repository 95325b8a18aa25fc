/** What is written at hospitals: Observations, one at a time or in transactions, and consents that come and go. */
import { glucose, laboratoryForNorthside, patient as person } from '../../story/people.js';
import { disguised } from '../judge/canaries.js';
import type { History, WriteKind } from '../judge/history.js';
import type { Bearer, Members } from '../members.js';
import { type Answer, askMember, type Request } from './ask.js';
import { markOf, SERIES } from './marks.js';
import type { Piece, Source } from './writer.js';

const FHIR = '/fhir/R4';
const PATIENCE_MS = 25_000;
/** Observations of one transaction. */
const BUNDLE_SIZE = 5;

/** A patient's record at a hospital, written by its clients. */
export class Chart {
  private constructor(
    private readonly members: Members,
    readonly member: string,
    readonly patient: string,
  ) {}

  /** Admits a patient. */
  static async open(members: Members, history: History, member: string, name: string): Promise<Chart> {
    const body = disguised(JSON.stringify(person), member);
    const request = { method: 'POST', path: `${FHIR}/Patient`, bearer: physician(member), body, headers: json(name) };
    const { status, text } = await askMember(members, { member, gateway: 0 }, request, PATIENCE_MS);
    if (status !== 201) throw new Error(`a patient at ${member}: ${status} ${text}`);
    const { id } = JSON.parse(text) as { id: string };
    history.append({ line: 'patient', member, patient: id });
    return new Chart(members, member, id);
  }

  /** The patient as who asks. */
  get own(): Bearer {
    return { subject: 'pat', role: 'patient', patient: this.patient };
  }

  /** One Observation after the other, their values from a number on. */
  observations(first: number): Source {
    let value = first;
    return {
      next: () => {
        value += 1;
        const body = JSON.stringify(glucose(this.patient, value));
        const marks = [markOf.observation(value)];
        return this.piece('observation', marks, { method: 'POST', path: 'Observation', body }, idIn);
      },
    };
  }

  /** Transactions of several Observations. */
  bundles(first: number): Source {
    let last = first;
    return {
      next: () => {
        const values = Array.from({ length: BUNDLE_SIZE }, () => (last += 1));
        const request = { method: 'POST', url: 'Observation' };
        const entry = values.map((value) => ({ resource: glucose(this.patient, value), request }));
        const body = JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry });
        return this.piece('bundle', values.map(markOf.observation), { method: 'POST', path: '', body }, idsInResponse);
      },
    };
  }

  /** The patient permits, and withdraws what was acknowledged, in turns. */
  consents(first: number): Source {
    let number = first;
    let standing: Answer | undefined;
    return {
      next: () => {
        if (standing !== undefined) {
          const { text, block } = standing;
          const { id } = JSON.parse(text) as { id: string };
          standing = undefined;
          const body = text.replace('"status":"active"', '"status":"inactive"');
          // Of another gateway, too, the patient wants an answer that knows the consent.
          const headers = block === undefined ? {} : { 'x-min-block': block };
          const request = { method: 'PUT', path: `Consent/${id}`, body, headers };
          return this.piece('withdrawal', [markOf.withdrawal(number)], request, idIn, this.own);
        }
        number += 1;
        const identifier = [{ system: SERIES, value: String(number) }];
        const body = JSON.stringify({ ...laboratoryForNorthside(this.patient), identifier });
        const request = { method: 'POST', path: 'Consent', body };
        const end: Piece['end'] = (told, answer) => {
          if (told === 'acknowledged') standing = answer;
        };
        return { ...this.piece('consent', [markOf.consent(number)], request, idIn, this.own), end };
      },
    };
  }

  private piece(
    kind: WriteKind,
    marks: readonly string[],
    { path, body, method, headers = {} }: Omit<Request, 'bearer' | 'body'> & { readonly body: string },
    idsIn: Piece['idsIn'],
    bearer = physician(this.member),
  ): Piece {
    const { member } = this;
    const place = path === '' ? FHIR : `${FHIR}/${path}`;
    const request = { ...(method && { method }), path: place, bearer, body: disguised(body, member) };
    return {
      kind,
      marks,
      idsIn,
      attempt: (gateway, key, patienceMs) =>
        askMember(this.members, { member, gateway }, { ...request, headers: { ...json(key), ...headers } }, patienceMs),
    };
  }
}

function physician(member: string): Bearer {
  return { subject: `dr-${member}`, role: 'physician' };
}

function json(key: string): Record<string, string> {
  return { 'content-type': 'application/fhir+json', 'idempotency-key': key };
}

function idIn({ text }: Answer): string[] {
  return [(JSON.parse(text) as { id: string }).id];
}

function idsInResponse({ text }: Answer): string[] {
  return [...text.matchAll(/"location":"[^"]*Observation\/([^/"]+)/g)].map((match) => match[1] ?? '');
}
