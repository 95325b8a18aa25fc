/** Gateways of a trial's members on the contracts' double, each with what it keeps of contents. */
import assert from 'node:assert/strict';
import { type JsonObject, parseExactly } from '@salus/gateway/fhir/json';
import type { FhirResponse } from '@salus/gateway/fhir/request';
import { parseRefusal, Refusal } from '@salus/gateway/ledger/refusal';
import type { PendingEntry } from '@salus/gateway/keys/pending-work';
import type { KeptRecord } from '@salus/gateway/ehr/keep';
import { SharedSecrets } from '@salus/gateway/keys/shared-secrets';
import type { Ledger, LedgerCall, StoredVersion } from '@salus/gateway/ports';
import { claim, type ClaimingPorts } from '@salus/gateway/trial/claiming';
import { contentChanges } from '@salus/gateway/trial/content';
import { Entering } from '@salus/gateway/trial/entering';
import { documentsHeard } from '@salus/gateway/trial/documents';
import { formsHeard } from '@salus/gateway/trial/forms';
import { CONTENT_PATH, contentsHeard } from '@salus/gateway/trial/hand-over';
import { namesHeard } from '@salus/gateway/trial/names';
import { Randomizing } from '@salus/gateway/trial/randomizing';
import { withTrials } from '@salus/gateway/trial/operations';
import { random } from '../support/contract-world.js';
import { eventually } from '../support/eventually.js';
import type { TrialWorld } from './world.js';

/** The contracts' double as a member's gateway sees the ledger: a voided transaction is endorsed again, as there. */
export function ledgerOf(world: TrialWorld, member: string): Pick<Ledger, 'submit' | 'evaluate'> {
  const call = (argument?: string, transient: Readonly<Record<string, Uint8Array>> = {}) => ({
    ...(argument === undefined ? {} : { args: [argument] }),
    ...(transient.request ? { request: JSON.parse(Buffer.from(transient.request).toString()) as object } : {}),
    ...(transient.actor ? { actor: JSON.parse(Buffer.from(transient.actor).toString()) as object } : {}),
  });
  const checked = async (name: string, given: object) => {
    const outcome = await world.ledger.evaluate(member, name, given);
    if (outcome.status !== 200) throw parseRefusal(outcome.message) ?? new Error(outcome.message);
    return outcome;
  };
  return {
    evaluate: async ({ transaction, argument, transient }) =>
      Buffer.from((await checked(transaction, call(argument, transient))).payload),
    submit: async ({ transaction, argument, transient }) => {
      for (;;) {
        const outcome = await checked(transaction, call(argument, transient));
        if (world.ledger.commit(outcome) === 'VALID') return { txId: outcome.txId, block: 1 };
      }
    },
  };
}

/** What each member keeps, by the name of the member and the commitment. */
export class Gateways {
  readonly kept = new Map<string, string>();
  /** What each member's projection says. */
  readonly facts = new Map<string, string>();
  /** Patients by member and `Patient/<id>`. */
  readonly patients = new Map<string, StoredVersion>();
  /** Of whom somebody was shown something, by member. */
  readonly shown: string[] = [];
  /** Patients whose records were erased. */
  readonly erased = new Set<string>();
  /** Members whose doors are shut. */
  readonly away = new Set<string>();
  /** What gateways promised and did not end, by member and id. */
  readonly promised = new Map<string, string>();
  /** Before which step the site's gateway dies: an own copy, an act, a knock at a door. */
  killedBefore: 'copy' | 'act' | 'knock' | undefined;

  constructor(readonly world: TrialWorld) {}

  /** A member's entries, as after each start of its gateway: what was promised before is still there. */
  entering(member: string): Entering {
    const { promised } = this;
    const pending = {
      keep: (id: string, value: object): void => void promised.set(`${member} ${id}`, JSON.stringify(value)),
      drop: (id: string): void => void promised.delete(`${member} ${id}`),
      list: <T>(): readonly PendingEntry<T>[] => {
        const own = [...promised].filter(([name]) => name.startsWith(`${member} `));
        return own.map(([name, text]) => ({ id: name.slice(member.length + 1), value: parseExactly(text) as T }));
      },
    };
    const ask = (to: string, path: string, words: object): Promise<unknown> => this.knock(member, to, words, path);
    return new Entering({ ...this.#ports(member), ask, pending });
  }

  /** The gateway of a site, started anew, until something is so. */
  async goOn(isEnough: () => boolean, member = 'stmary'): Promise<void> {
    const stopping = new AbortController();
    const going = this.entering(member).goOn(stopping.signal);
    await eventually(() => {
      assert.ok(isEnough());
      return Promise.resolve();
    });
    stopping.abort();
    await going;
  }

  /** Knocks at a member's door, with a content if nothing else is said. */
  async knock(teller: string, member: string, words: object, path = CONTENT_PATH): Promise<object | undefined> {
    if (this.away.has(member)) throw new Error('no door is open');
    this.#die('knock');
    const blocks = { block: 0, reached: () => Promise.resolve(false) };
    const ports = this.#ports(member);
    const contents = contentsHeard({ ...ports, blocks });
    const heard = {
      ...contents,
      ...formsHeard(ports),
      ...documentsHeard(ports),
      ...namesHeard(ports.ledger, ports.facts),
    };
    return heard[path]?.hear(teller, JSON.stringify(words));
  }

  /** A request of somebody of a member. */
  async ask(member: string, role: string, method: string, path: string, body?: object): Promise<FhirResponse> {
    const entering = this.entering(member);
    const fhir = withTrials(() => Promise.resolve({ status: 418, headers: {} }), {
      ...this.#ports(member),
      entering,
      catchUp: () => Promise.resolve(),
      randomizing: new Randomizing(ledgerOf(this.world, member)),
      claim: (...asked) => claim(this.#claiming(member), ...asked),
      shown: (patient) => this.shown.push(`${member} ${patient}`),
      decision: { allow: () => undefined },
      ask: (to, path, words) => this.knock(member, to, words, path),
      now: () => this.world.ledger.clockMs,
    });
    const actor = { member, user: 'u-1', role, purpose: 'CLINTRCH', scopes: [] };
    const headers = { 'content-type': 'application/fhir+json' };
    const [name = '', query = ''] = path.split('?');
    const request = { method, path: name, query: new URLSearchParams(query), headers, actor };
    return fhir(body === undefined ? request : { ...request, body: JSON.stringify(body) });
  }

  #die(step: typeof this.killedBefore): void {
    if (this.killedBefore === step) throw new Error('killed');
  }

  #ports(member: string) {
    const ledger = ledgerOf(this.world, member);
    return {
      member,
      ledger: { ...ledger, submit: (call: LedgerCall) => (this.#die('act'), ledger.submit(call)) },
      facts: { fact: (_space: string, key: string) => this.facts.get(`${member} ${key}`) },
      keep: (records: readonly KeptRecord[]): Promise<void> => {
        this.#die('copy');
        for (const { type, value, patient } of records) {
          if (patient !== undefined && this.erased.has(patient)) {
            return Promise.reject(new Refusal('not-found', 'not-found', 'no such patient is known here'));
          }
          const opened = { type, text: JSON.stringify(value), patient };
          for (const change of contentChanges(opened, random()) ?? []) {
            if (change.kind !== 'fact') continue;
            this.facts.set(`${member} ${change.key}`, change.value ?? '');
            if (change.value === opened.text) this.kept.set(`${member} ${change.key}`, opened.text);
          }
        }
        return Promise.resolve();
      },
    };
  }

  #claiming(member: string): ClaimingPorts {
    const secrets = {
      find: (name: string) => this.facts.get(`${member} ${name}`),
      keep: (named: Readonly<Record<string, string>>) => {
        for (const [name, secret] of Object.entries(named)) this.facts.set(`${member} ${name}`, secret);
      },
      forget: () => undefined,
    };
    const { ledger, ...ports } = this.#ports(member);
    return {
      ...{ ...ports, ledger, secrets: new SharedSecrets({ mspId: member, ledger, secrets }) },
      shown: () => undefined,
      current: (type, id) => this.patients.get(`${member} ${type}/${id}`),
    };
  }
}

/** Resources of a searchset. */
export function resourcesIn(response: FhirResponse): readonly JsonObject[] {
  const { entry = [] } = response.resource as { readonly entry?: readonly { readonly resource: JsonObject }[] };
  return entry.map(({ resource }) => resource);
}
