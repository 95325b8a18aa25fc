/** A FHIR server that derives posted search parameters when it is told to. */
import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { fhirRouter, type FhirRouter } from '@salus/gateway/fhir/router';
import type { Actor, StoredVersion } from '@salus/gateway/ports';
import type { Projection } from '@salus/gateway/projection/projection';

import { BASE, idsOf, type Json, newProjection, physician } from '../support/fhir-server.js';
import { RecordLedger } from '../support/record-ledger.js';
import { patient } from './resources.js';

export const admin: Actor = { ...physician, user: 'ad-test', role: 'admin' };
const EYES = 'http://example.org/eyes';
export const LEFT = 'http://example.org/left-eye';

export const eyes = (color: string): object => ({ extension: [{ url: EYES, valueString: color }] });

/** A SearchParameter of R4, active unless said otherwise. */
export const parameter = (more: Json = {}): Json => ({
  ...{ resourceType: 'SearchParameter', url: 'http://example.org/eye-color', name: 'EyeColor', status: 'active' },
  ...{ description: 'The colour of the eyes', code: 'eye-color', base: ['Patient'], type: 'string' },
  expression: `Patient.extension.where(url = '${EYES}').value`,
  ...more,
});

/** A router whose projection applies what is written at once, and derives when it is told to. */
export class Stepwise {
  readonly ledger = new RecordLedger();
  readonly folder = mkdtempSync(join(tmpdir(), 'salus-posted-'));
  readonly file = join(this.folder, 'p.db');
  projection: Projection;
  /** What is shown of a resource. */
  shown: (stored: StoredVersion) => StoredVersion | undefined = (stored) => stored;
  #router: FhirRouter;

  constructor() {
    this.projection = newProjection(this.file);
    this.#router = this.#over();
  }

  #over(): FhirRouter {
    const write = async (...asked: Parameters<RecordLedger['write']>) => {
      const outcome = await this.ledger.write(...asked);
      this.catchUp();
      return outcome;
    };
    const decision = {
      permit: (_: Actor, stored: StoredVersion) => this.shown(stored),
      ...{ opens: () => true, unrestricted: () => false, allow: () => undefined },
    };
    return fhirRouter({ baseUrl: BASE, projection: this.projection, writer: { write }, decision });
  }

  catchUp(): void {
    this.projection.apply(this.ledger.chain.slice(this.projection.block + 1));
  }

  /** Closes the database and opens it again, as a gateway does that starts anew. */
  restart(): void {
    this.projection.close();
    this.projection = newProjection(this.file);
    this.#router = this.#over();
  }

  async ask(line: string, body?: Json, actor = physician, headers: Record<string, string> = {}): Promise<Json> {
    const [method = '', url = ''] = line.split(' ', 2);
    const [path = '', search = ''] = url.split('?', 2);
    const request = { method, path, query: new URLSearchParams(search), actor };
    const answer = await this.#router.handle({
      ...{ ...request, headers: { 'content-type': 'application/fhir+json', ...headers } },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const { resource } = answer;
    return { ...answer, json: typeof resource === 'string' ? JSON.parse(resource) : resource };
  }

  /** Patients p0, p1, … with eyes of these colours. */
  async patients(...colors: string[]): Promise<void> {
    for (const [at, color] of colors.entries()) {
      const { status } = await this.ask(`PUT Patient/p${at}`, patient({ id: `p${at}`, ...eyes(color) }));
      assert.equal(status, 201);
    }
  }

  async post(more: Json = {}, id = 'eye-color'): Promise<Json> {
    return this.ask(`PUT SearchParameter/${id}`, parameter({ id, ...more }), admin);
  }

  /** Ids that a search finds, once all is derived. */
  async found(search: string): Promise<string[]> {
    while (this.projection.derive(Infinity));
    const { status, json } = await this.ask(`GET ${search}`);
    assert.equal(status, 200, `${search}: ${JSON.stringify(json)}`);
    return idsOf(json).sort();
  }

  /** The digest, which a projection derived from genesis must have, too. */
  rebuilt(): string {
    const again = newProjection(':memory:');
    again.apply(this.ledger.chain);
    const digest = again.digest();
    again.close();
    return digest;
  }

  rows(): number {
    const database = new DatabaseSync(this.file, { readOnly: true });
    const { n } = database.prepare('SELECT count(*) AS n FROM term WHERE parameter > 10000').get() as { n: number };
    database.close();
    return n;
  }

  close(): void {
    this.projection.close();
    rmSync(this.folder, { recursive: true });
  }
}
