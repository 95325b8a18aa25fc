/** People of stmary who write and read over HTTP, each seeing what any of them wrote before. */
import { strict as assert } from 'node:assert';

import { optOut } from '../story/people.js';
import type { Answer, TestNetwork } from '../support/network.js';

/** What is sent beside the path. */
export interface DeskOptions {
  readonly body?: object;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly role?: string;
  readonly scope?: string;
}

/** One hospital's desk on a running network. */
export class Desk {
  readonly #tokens = new Map<string, Promise<string>>();
  #newest = 0;

  constructor(private readonly network: TestNetwork) {}

  /** Asks as a physician, if nothing else is said. */
  ask = async (user: string, path: string, options: DeskOptions = {}): Promise<Answer> => {
    const { role = 'physician', scope, ...sent } = options;
    const name = JSON.stringify([user, role, scope]);
    const token =
      this.#tokens.get(name) ?? this.network.token({ member: 'stmary', user, role, ...(scope && { scope }) });
    this.#tokens.set(name, token);
    const headers = { 'x-min-block': String(this.#newest), ...options.headers };
    return this.#noted(await this.network.ask('stmary', path, { ...sent, token: await token, headers }));
  };

  /** Writes a resource, under its id where it has one; resolves with `Type/id`. */
  made = async (body: object, user = 'dr-desk'): Promise<string> => {
    const { resourceType, id } = body as { resourceType: string; id?: string };
    const [path, method] = id === undefined ? [resourceType, 'POST'] : [`${resourceType}/${id}`, 'PUT'];
    const answer = await this.ask(user, path, { body, method });
    assert.ok(answer.status < 300, `${resourceType}: ${answer.text}`);
    return `${resourceType}/${String(answer.body.id)}`;
  };

  /** Says as the patient (`Patient/id`) what an opt-out's root provision says. */
  consented = async (of: string, provision: object): Promise<void> => {
    const id = of.replace('Patient/', '');
    const token = await this.network.token({ member: 'stmary', user: `self-${id}`, role: 'patient', patient: id });
    const answer = this.#noted(await this.network.ask('stmary', 'Consent', { token, body: optOut(id, provision) }));
    assert.equal(answer.status, 201, answer.text);
  };

  #noted(answer: Answer): Answer {
    this.#newest = Math.max(this.#newest, Number(answer.headers.get('x-block') ?? 0));
    return answer;
  }
}
