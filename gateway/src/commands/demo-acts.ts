/** The trial that `salus demo trial` plays, as its people act on it over HTTP. */
import { randomUUID } from 'node:crypto';

import type { TrialView } from '@salus/chaincode/trial/api';
import { CommandError, type CommandIo } from '@salus/network/command';

import { askerOf } from './demo-asking.js';
import { Signer } from './demo-study.js';
import { memberSettings } from './members.js';

/** The study as its people act on it over HTTP. */
export class Study {
  /** The newest block in which something of this study was committed. */
  #seen = 0;
  /** Who signs, by member and role. */
  readonly #signers = new Map<string, Signer>();

  constructor(
    readonly io: CommandIo,
    readonly trial: string,
  ) {}

  /** Does an act and says so. Throws CommandError where it is refused. */
  async act(member: string, role: string, operation: string, request: object, said?: string): Promise<Answered> {
    const answered = await this.send(member, role, operation, [text('request', JSON.stringify(request))]);
    return this.saying(member, role, said, answered);
  }

  /** Does an act that is signed: over the request, or over what else is said to be signed of it. */
  async signs(
    [member, role]: readonly [member: string, role: string],
    operation: string,
    [request, content = request]: readonly [request: object, content?: object],
    said?: string,
  ): Promise<Answered> {
    const signature = await this.signature([member, role], operation, content);
    return this.act(member, role, operation, { ...request, signature }, said);
  }

  /** The signature of somebody of a member, who is put on the delegation log before the first one. */
  async signature(
    [member, role]: readonly [member: string, role: string],
    operation: string,
    content: object,
  ): Promise<object> {
    const { channel } = memberSettings(this.io.stateDir, member);
    const signer = this.#signers.get(`${member} ${role}`) ?? (await this.#delegated(member, role));
    return signer.signature({ channel, trial: this.trial, meaning: operation.slice(1), ...content });
  }

  async #delegated(member: string, role: string): Promise<Signer> {
    const signer = new Signer(`${member}-${role}`);
    this.#signers.set(`${member} ${role}`, signer);
    const chief = member === 'tally' ? 'cro' : role;
    await this.act(member, chief, '$delegate', { role, jwk: signer.jwk });
    return signer;
  }

  /** What an operation tells, by the names of its parameters. */
  async told(member: string, role: string, operation: string): Promise<Readonly<Record<string, string | number>>> {
    const ask = await askerOf(this.io, member, role);
    const response = await ask(`/fhir/R4/ResearchStudy/${this.trial}/${operation}`, { minBlock: this.#seen });
    const { parameter = [] } = (await response.json()) as Answered;
    return Object.fromEntries(
      parameter.map(({ name, valueString, valueInteger }) => [name, valueString ?? valueInteger ?? '']),
    );
  }

  /** The same for an operation with parameters of its own. */
  async call(
    member: string,
    role: string,
    operation: string,
    values: readonly object[],
    said?: string,
  ): Promise<Answered> {
    return this.saying(member, role, said, await this.send(member, role, operation, values));
  }

  /** Tries an act that must not be, and says why it is refused. Throws CommandError where it is not. */
  async tries(member: string, role: string, operation: string, request: object, said: string): Promise<void> {
    await this.triesWith(member, role, operation, [text('request', JSON.stringify(request))], said);
  }

  /** The same for an operation with parameters of its own. */
  async triesWith(
    member: string,
    role: string,
    operation: string,
    values: readonly object[],
    said: string,
  ): Promise<void> {
    const { ok, issue = [] } = await this.send(member, role, operation, values);
    if (ok) throw new CommandError(`${member} ${said}, and nobody stopped it`);
    const [{ details, diagnostics } = {}] = issue;
    this.io.out(`${member} (${role}) ${said}\n  refused (${details?.coding?.[0]?.code ?? ''}: ${diagnostics ?? ''})`);
  }

  /** The id of a new Patient of a site. Throws CommandError where it is not written. */
  async patientAt(site: string): Promise<string> {
    const ask = await askerOf(this.io, site, 'investigator');
    const identifier = [{ system: 'urn:salus:demo-person', value: randomUUID() }];
    const body = JSON.stringify({ resourceType: 'Patient', identifier });
    const response = await ask('/fhir/R4/Patient', { method: 'POST', body, contentType: 'application/fhir+json' });
    const { id } = (await response.json()) as { readonly id?: string };
    if (!response.ok || id === undefined)
      throw new CommandError(`${site} could not write down a participant's Patient`);
    return id;
  }

  /** The trial as a member that plays no part in it shows it to anybody. */
  async view(): Promise<TrialView> {
    const { baseUrl } = memberSettings(this.io.stateDir, 'medisure');
    const ask = await askerOf(this.io, 'medisure', 'auditor');
    // The page is for anybody, and waits for nothing: this does.
    await ask(`/fhir/R4/ResearchStudy/${this.trial}/$due`, { minBlock: this.#seen });
    return (await (await fetch(new URL(`/trials/${this.trial}`, baseUrl))).json()) as TrialView;
  }

  private saying(member: string, role: string, said: string | undefined, answered: Answered): Answered {
    const why = answered.issue?.[0]?.diagnostics ?? '';
    if (!answered.ok) throw new CommandError(`${member} (${role}) ${said ?? 'was refused'}: ${why}`);
    if (said !== undefined) this.io.out(`${member} (${role}) ${said}`);
    return answered;
  }

  private async send(member: string, role: string, operation: string, parameter: readonly object[]): Promise<Answered> {
    const ask = await askerOf(this.io, member, role);
    const path = operation === '$usdm-import' ? operation : `${this.trial}/${operation}`;
    const body = JSON.stringify({ resourceType: 'Parameters', parameter });
    const contentType = 'application/fhir+json';
    const asked = { method: 'POST', body, contentType, minBlock: this.#seen };
    const response = await ask(`/fhir/R4/ResearchStudy/${path}`, asked);
    this.#seen = Math.max(this.#seen, Number(response.headers.get('x-block') ?? 0));
    return { ok: response.ok, ...((await response.json()) as Omit<Answered, 'ok'>) };
  }
}

/** An OperationOutcome or Parameters, and whether the act was done. */
export interface Answered {
  readonly ok: boolean;
  readonly issue?: readonly {
    readonly diagnostics?: string;
    readonly details?: { readonly coding?: readonly { readonly code?: string }[] };
  }[];
  readonly parameter?: readonly {
    readonly name: string;
    readonly valueString?: string;
    readonly valueInteger?: number;
  }[];
}

/** A parameter with text. */
export function text(name: string, valueString: string): object {
  return { name, valueString };
}
