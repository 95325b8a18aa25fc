/** A server of files and a gateway's imports of them, over an in-memory ledger. */
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';

import { ImportDesk, type ImportPorts } from '@salus/gateway/fhir/import/desk';
import { IMPORT_LIMITS, type ImportLimits } from '@salus/gateway/fhir/import/limits';
import { stableBy } from '@salus/gateway/fhir/idempotency';
import type { Imports } from '@salus/gateway/fhir/request';
import { KeyStore } from '@salus/gateway/keys/key-store';

import { BASE, FhirServer, type Answer, type Ask, type Json } from '../support/fhir-server.js';
import { eventually } from '../support/eventually.js';
import { scratchFolder } from '../support/scratch.js';
import { patient } from './resources.js';

/** Files by their paths, each as text or answered by a listener. */
export class FileServer {
  readonly files = new Map<string, string | RequestListener>();
  /** Paths asked for. */
  readonly asked: string[] = [];
  readonly #server;

  /** Over TLS where a certificate is given, and its key, both PEM. */
  constructor(private readonly tls?: { readonly cert: string; readonly key: string }) {
    const answer: RequestListener = (request, response) => {
      const path = request.url ?? '';
      this.asked.push(path);
      const file = this.files.get(path);
      if (file === undefined) response.writeHead(404).end();
      else if (typeof file === 'string') response.setHeader('content-type', 'application/fhir+ndjson').end(file);
      else file(request, response);
    };
    this.#server = tls === undefined ? createServer(answer) : createSecureServer(tls, answer);
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get origin(): string {
    return `${this.tls === undefined ? 'http' : 'https'}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Serves a file; its URL. */
  put(path: string, content: string | RequestListener): string {
    this.files.set(path, content);
    return `${this.origin}${path}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** A gateway that imports. */
export class ImportWorld {
  readonly folder = scratchFolder();
  readonly keys = new KeyStore(this.folder.path);
  readonly faults: unknown[] = [];
  readonly elsewhere = new Set<string>();
  server!: FhirServer;
  desk!: ImportDesk;
  origins: readonly string[] = [];
  now = Date.now;

  constructor(private readonly more: Partial<ImportPorts> = {}) {
    const desk = (): ImportDesk => this.desk;
    const imports: Imports = {
      begin: (request) => desk().begin(request),
      list: (request) => desk().list(request),
      status: (request, id) => desk().status(request, id),
      problems: (request, id, file) => desk().problems(request, id, file),
      end: (request, id) => desk().end(request, id),
    };
    this.server = new FhirServer({
      imports,
      earlier: (actor, idempotency) => Promise.resolve(this.server.ledger.earlier(actor, idempotency)),
    });
    this.open();
  }

  /** A desk over what the one before kept, as after a restart. */
  open(limits: Partial<ImportLimits> = {}, more: Partial<ImportPorts> = {}): void {
    this.desk = new ImportDesk({
      keys: this.keys,
      gateway: 'gateway0',
      baseUrl: BASE,
      origins: this.origins,
      fhir: (request) => this.server.router.handle(request),
      decision: { allow: () => undefined },
      apart: new Set(),
      isOfficer: ({ role }) => role === 'privacy-officer',
      actorNow: (actor) => actor,
      current: (_actor, type, id) =>
        this.server.hidden.has(`${type}/${id}`) ? undefined : this.server.projection.current(type, id),
      isElsewhere: (type, id) => this.elsewhere.has(`${type}/${id}`),
      stable: stableBy(this.keys).codeOf,
      now: () => this.now(),
      onFault: (error) => this.faults.push(error),
      limits: { ...IMPORT_LIMITS, ...limits },
      ...this.more,
      ...more,
    });
  }

  ask(line: string, ask: Ask = {}): Promise<Answer> {
    return this.server.ask(line, { ...ask, headers: { prefer: 'respond-async', ...ask.headers } });
  }

  /** Path of the status of an import of these files. */
  async begun(input: readonly { readonly type: string; readonly url: string }[], more: object = {}): Promise<string> {
    const body = { inputFormat: 'application/fhir+ndjson', inputSource: 'https://other.example', input, ...more };
    return this.statusOf(await this.ask('POST $import', { body, headers: { 'content-type': 'application/json' } }));
  }

  /** The answer to a kick-off that sends the lines themselves. */
  uploaded(text: string, ask: Ask = {}): Promise<Answer> {
    const headers = { 'content-type': 'application/fhir+ndjson', ...ask.headers };
    return this.ask('POST $import?inputSource=urn:x:y', { ...ask, body: text, headers });
  }

  statusOf({ status, headers, json }: Answer): string {
    if (status !== 202) throw new Error(`${status} ${JSON.stringify(json)}`);
    return (headers['Content-Location'] ?? '').replace(`${BASE}/`, '');
  }

  /** The manifest of an import, once it is done. */
  async done(path: string, ask: Ask = {}): Promise<Json> {
    let answer: Answer | undefined;
    await eventually(async () => {
      answer = await this.ask(`GET ${path}`, ask);
      if (answer.status !== 200) throw new Error(`${answer.status} ${JSON.stringify(answer.headers)}`);
    });
    return answer?.json;
  }

  /** Numbers of the lines that a manifest's problems are about, with what the first issue of each says. */
  async problems(manifest: Json, file = 0): Promise<[line: number | undefined, code: string, told: string][]> {
    const url = (manifest.error[file]?.url as string).replace(`${BASE}/`, '');
    const { lines = [], headers } = await this.ask(`GET ${url}`);
    if (headers['Content-Type'] !== 'application/fhir+ndjson') throw new Error('not ndjson');
    const found: [number | undefined, string, string][] = [];
    for await (const line of lines) {
      const { extension, issue } = JSON.parse(line);
      found.push([extension?.[0].valuePositiveInt, issue[0].code, issue[0].diagnostics]);
    }
    return found;
  }

  /** Rows of a table of the key store. */
  rows(table: string): number {
    return (this.keys.database.prepare(`SELECT count(*) AS n FROM ${table}`).get() as { n: number }).n;
  }

  async close(): Promise<void> {
    this.desk.stop();
    await this.server.close();
    this.keys.close();
    this.folder.remove();
  }
}

/** The lines as newline delimited JSON. */
export const ndjson = (...lines: readonly unknown[]): string =>
  lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');

/** So many Patients, `p0` and on. */
export const patients = (count: number): Json[] =>
  Array.from({ length: count }, (_, at): Json => patient({ id: `p${at}` }));

/** A server of files and a gateway that may import them, new for each test of the suite in whose body this is called. */
export function importsOfSuite(): { readonly files: FileServer; readonly world: ImportWorld } {
  const held: { files?: FileServer; world?: ImportWorld } = {};
  beforeEach(async () => {
    const files = await new FileServer().listen();
    const world = new ImportWorld();
    Object.assign(held, { files, world });
    world.origins = [files.origin];
    world.open();
  });
  afterEach(async () => {
    await held.world?.close();
    held.files?.close();
    assert.deepEqual([held.world?.faults, held.world?.server.faults], [[], []]);
  });
  return held as { files: FileServer; world: ImportWorld };
}
