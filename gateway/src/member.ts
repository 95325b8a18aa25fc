/** One member's gateway, put together from its rooms and started. */
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Logger } from 'pino';

import { raise } from './alarms.js';
import { buildApp } from './app.js';
import { openAskers, type Askers } from './authorization/open.js';
import { runInBackground } from './background.js';
import { answerClientErrors } from './client-errors.js';
import { Sharing } from './door/sharing.js';
import { Destinations } from './delivery/destinations.js';
import { findDone } from './ehr/done.js';
import { domainOperations, servedTypes } from './domains.js';
import { conditionsOf } from './ehr/conditions.js';
import { ContentCare } from './ehr/content-care.js';
import { RecentContents } from './ehr/recent.js';
import { EhrWriter } from './ehr/writer.js';
import { Erasures } from './erasure/erasures.js';
import { fhirExpress } from './fhir/express.js';
import { stableBy } from './fhir/idempotency.js';
import type { ImportDesk } from './fhir/import/desk.js';
import type { FhirRequest } from './fhir/request.js';
import { isBinding } from './fhir/subscription/sockets.js';
import { fhirRouter } from './fhir/router.js';
import { acceptedIssuer, fhirBase } from './identity/issuer.js';
import { readSigningKey } from './identity/keys.js';
import { authenticate } from './identity/tokens.js';
import { KeyStore } from './keys/key-store.js';
import { Memory } from './keys/memory.js';
import { machineStart } from './keys/machine-start.js';
import { durableLedger } from './ledger/durable.js';
import { connectLedger } from './ledger/fabric-ledger.js';
import { LiveBlocks } from './ledger/live.js';
import { Outbox } from './ledger/outbox.js';
import { OutboxStore } from './ledger/outbox-store.js';
import { makeMeters } from './metrics.js';
import { openImports } from './open-imports.js';
import { openSubscriptions, type OpenSubscriptions } from './open-subscriptions.js';
import { openProjection } from './open-projection.js';
import { removeScratch } from './rebuild.js';
import type { Fault } from './projection/faults.js';
import { recordAudit, recordHistory } from './record-history.js';
import { Directory } from './registry/directory.js';
import type { Rooms } from './rooms.js';
import { drained } from './drain.js';
import type { GatewaySettings } from './settings.js';
import { type MemberOptions, type RunningMember, standingOf, untilReady } from './start.js';
import { isSubscribing } from './supply/epcis/sockets.js';
import { openTrials, type Trials } from './trial/open.js';
import { writeStatusOf } from './write-status.js';

/** Longer than proxies and clients keep an idle connection: whoever may still send a request is the one to close it. */
const KEEP_ALIVE_MS = 75_000;

/** Starts a member's gateway: listens at once, answers as soon as the ledger lets it. */
export async function startMember(settings: GatewaySettings, options: MemberOptions): Promise<RunningMember> {
  const accepted = acceptedIssuer(settings, options.issuer);
  const rooms = openRooms(settings, options);
  const sharing = openSharing(rooms);
  const erasures = openErasures(rooms, sharing);
  const askers = openAskers(rooms, accepted, (user, patient) => sharing.mandates.of(user, patient));
  const state = { ready: false };
  const trials = openTrials(rooms, sharing);
  const subscriptions = openSubscriptions(rooms, sharing, faultLog(rooms.log));
  const { server, imports } = await listen(rooms, sharing, { erasures, trials, askers, subscriptions }, state);
  const stopping = new AbortController();
  const failed = runInBackground(rooms, sharing, erasures, stopping.signal);
  const door = await sharing.open(ownFhir(rooms, sharing));
  return {
    member: settings.member,
    port: (server.address() as AddressInfo).port,
    ready: untilReady(rooms, stopping.signal, options.onProgress).then(() => {
      state.ready = true;
      const settled = rooms.outbox.settled();
      sharing.supply.goOn(settled, stopping.signal, faultLog(rooms.log));
      void settled.then(() => trials.goOn(stopping.signal)).catch(faultLog(rooms.log));
      imports.goOn();
      subscriptions.goOn(stopping.signal);
    }),
    failed,
    stop: async () => {
      imports.stop();
      const stopped = Promise.all([erasures.series.stop(), subscriptions.endSockets(), subscriptions.ended()]);
      await stop(rooms, sharing, { stopping, also: stopped }, [server, door]);
      askers.authorization?.close();
    },
  };
}

function openRooms(settings: GatewaySettings, { log, importOrigins = [], subscriberOrigins }: MemberOptions): Rooms {
  const signingKey = readSigningKey(settings.jwk);
  mkdirSync(settings.dataDir, { recursive: true, mode: 0o700 });
  removeScratch(settings.dataDir);
  const clock = (): number => Date.now() + settings.clockOffsetMs;
  const keys = new KeyStore(settings.dataDir);
  const connected = connectLedger(settings);
  const live = new LiveBlocks();
  const outbox = new Outbox(
    connected.steps,
    new OutboxStore(settings.dataDir, settings.gateway, keys.seal),
    keys,
    clock,
  );
  const recent = new RecentContents();
  const writer = new EhrWriter({
    keys,
    outbox,
    recent,
    ...{ mspId: settings.mspId, gateway: settings.gateway },
    freeVersion: (code, version) => projection.freeVersion(code, version),
    findDone: (key, digest) => findDone(connected.steps, settings.mspId, { key, digest }),
  });
  const meters = makeMeters(settings.member, settings.gateway);
  const onFault = ({ kind, txId, block }: Fault): void => {
    raise({ log, meters }, `value-${kind}`, { txId, block: String(block) });
  };
  const projection = openProjection(settings, keys, { recent, onFault });
  const contents = new ContentCare({
    ...{ gateway: settings.gateway, keys, outbox, projection, tip: () => connected.tip() },
    onLost: (count) => {
      raise({ log, meters }, 'content-lost', { count: String(count) });
    },
  });
  const directory = new Directory(projection, settings);
  meters.observeProjection(projection, live, contents);
  meters.observeCertificates(settings, clock);
  const ends = { connected, live, ledger: durableLedger(live.watch(connected), outbox), outbox };
  const destinations = new Destinations(settings.production, subscriberOrigins);
  const kept = { writer, recent, projection, contents, directory, signingKey };
  return { settings, log, clock, keys, ...ends, ...kept, meters, importOrigins, destinations };
}

function openSharing(rooms: Rooms): Sharing {
  return new Sharing({
    ...rooms,
    transaction: (txId) => rooms.connected.written.of(txId),
    memory: new Memory(rooms.keys, machineStart(rooms.clock())),
    alarm: (what, about) => {
      raise(rooms, what, about);
    },
    delayed: (what, error) => {
      rooms.log.debug({ error: (error as Error).message }, `${what} delayed`);
    },
  });
}

function openErasures(rooms: Rooms, { hospital }: Sharing): Erasures {
  return new Erasures({
    ...rooms,
    settled: () => rooms.outbox.settled(),
    forget: (patient) => Promise.resolve(hospital?.forget(patient)),
    onFailure: (error) => {
      raise(rooms, 'erasure-delayed', { error: (error as Error).name });
    },
  });
}

/** The member's FHIR interface over its own record alone, for other members' requests. */
function ownFhir({ settings, projection, writer, log }: Rooms, { decision }: Sharing) {
  const context = { baseUrl: fhirBase(settings.baseUrl), projection, writer, decision };
  const router = fhirRouter(context, { onFault: faultLog(log) });
  return (request: FhirRequest) => router.handle(request);
}

/** What is listened for beside what sharing has. */
interface Listening {
  readonly erasures: Erasures;
  readonly trials: Trials;
  readonly askers: Askers;
  readonly subscriptions: OpenSubscriptions;
}

async function listen(
  rooms: Rooms,
  sharing: Sharing,
  { erasures, trials, askers, subscriptions }: Listening,
  state: { readonly ready: boolean },
): Promise<{ readonly server: Server; readonly imports: ImportDesk }> {
  const { settings, log, projection, live, meters } = rooms;
  const { tokens, smart, authorization } = askers;
  const { decision, remote, mandates } = sharing;
  const handlers = { ...sharing.handlers, Subscription: subscriptions.handler };
  const imports = openImports(rooms, { decision, remote, mandates, handlers }, (request) => handle(request));
  const router = fhirRouter(
    {
      baseUrl: fhirBase(settings.baseUrl),
      ...{ projection, member: settings.member },
      ...sharing.context,
      ...{ handlers, subscriptions: subscriptions.desk },
      served: servedTypes,
      operations: domainOperations,
      writeStatus: writeStatusOf(rooms),
      earlier: (actor, idempotency) => rooms.writer.earlier(actor, idempotency),
      stable: stableBy(rooms.keys),
      conditionOf: conditionsOf(rooms),
      ...{ smart, imports },
    },
    { onFault: faultLog(log) },
  );
  const actorOf = ({ headers }: Pick<IncomingMessage, 'headers'>) =>
    authenticate(headers.authorization, headers['x-purpose-of-use']?.toString(), tokens);
  const served = trials.inFrontOf((request) => router.handle(request));
  const recorded = sharing.logged(
    erasures.inFrontOf(served, (patient) => {
      sharing.decision.shown(patient);
    }),
  );
  const handle = sharing.supply.inFrontOf(recorded);
  const app = buildApp({
    settings,
    log,
    meters,
    live,
    inspector: rooms.connected.inspector,
    standing: () => standingOf(rooms, state.ready),
    fhir: fhirExpress({ handle }, actorOf),
    smart,
    ...(authorization === undefined ? {} : { authorization: authorization.routes(actorOf, handle) }),
    ...sharing.supply.routers(actorOf, faultLog(log), handle),
    cdsHooks: fhirExpress({ handle: sharing.hooks }, actorOf, ''),
    trial: trials.view,
    scan: async (token, wish) => sharing.supply.scan(await authenticate(`Bearer ${token}`, undefined, tokens), wish),
    ...{ now: rooms.clock, audit: recordAudit(handle, tokens) },
    history: recordHistory({ projection, sharing, inspector: rooms.connected.inspector, actorOf }),
  });
  const server = serverOf(app);
  subscriptions.serve(server);
  sharing.supply.sockets.serve(server, { actorOf, onFault: faultLog(log) });
  server.listen(settings.listen.port, settings.listen.host);
  await once(server, 'listening');
  return { server, imports };
}

/** It lets websockets of subscribers alone be opened. */
function serverOf(app: RequestListener): Server {
  const shouldUpgradeCallback = (request: IncomingMessage): boolean => isSubscribing(request) || isBinding(request);
  const server = createServer({ shouldUpgradeCallback }, app);
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  answerClientErrors(server);
  return server;
}

async function stop(
  { outbox, connected, projection, keys, live }: Rooms,
  sharing: Sharing,
  { stopping, also }: { readonly stopping: AbortController; readonly also: Promise<unknown> },
  servers: readonly Server[],
): Promise<void> {
  live.end();
  await Promise.all([sharing.supply.sockets.end(), drained(servers)]);
  stopping.abort();
  await Promise.all([outbox.stop(), also]);
  for (const server of servers) server.closeAllConnections();
  await sharing.close();
  connected.close();
  projection.close();
  keys.close();
}

function faultLog(log: Logger): (error: unknown) => void {
  return (error) => {
    log.error({ name: (error as Error).name, stack: (error as Error).stack }, 'fault');
  };
}
