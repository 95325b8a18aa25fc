/** The development authorization server of a gateway, put together; begun when the first request for it comes. */
import type { Router } from 'express';
import type Provider from 'oidc-provider';

import type { Authenticate } from '../fhir/express.js';
import type { Fhir } from '../fhir/request.js';
import { discovery } from '../identity/discovery.js';
import { fhirBase, type AcceptedIssuer } from '../identity/issuer.js';
import type { FindSmartServer } from '../identity/smart.js';
import type { TokenRules } from '../identity/tokens.js';
import type { KeyStore } from '../keys/key-store.js';
import { Memory } from '../keys/memory.js';
import type { Actor } from '../ports.js';
import type { GatewaySettings } from '../settings.js';
import { Launches } from './launches.js';
import { developmentServer } from './offered.js';
import { openProvider } from './provider.js';
import { Register, registerFile } from './register.js';
import { authorizationRoutes } from './router.js';
import { SignInStore } from './store.js';

/** What it is put together from. */
interface AskerRooms {
  readonly settings: GatewaySettings;
  readonly keys: KeyStore;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** Who is asking, and how that is known. */
export interface Askers {
  readonly tokens: TokenRules;
  readonly smart: FindSmartServer;
  /** Absent where another issuer's tokens count. */
  readonly authorization?: Authorization;
}

/** A development authorization server. */
interface Authorization {
  /** Whether a token of its own was neither revoked nor forgotten; one it did not make is none of its business. */
  readonly isInForce: (payload: { readonly client_id?: unknown; readonly jti?: string }) => boolean;
  /** `fhir` answers as the gateway does, reads logged. */
  routes(authenticate: Authenticate, fhir: Fhir): Router;
  close(): void;
}

/** The rules that tokens are checked by, whom apps are told to ask for them, and for development who gives them out. */
export function openAskers(rooms: AskerRooms, accepted: AcceptedIssuer, mandateOf: TokenRules['mandateOf']): Askers {
  const { settings, keys, clock } = rooms;
  const authorization = accepted.development ? openAuthorization(rooms, accepted) : undefined;
  return {
    smart: smartServerOf(accepted, settings.baseUrl, clock),
    ...(authorization === undefined ? {} : { authorization }),
    tokens: {
      member: settings.member,
      issuer: accepted.issuer,
      audience: fhirBase(settings.baseUrl),
      keys: accepted.keys,
      algorithms: accepted.algorithms,
      ...(accepted.roles === undefined ? {} : { roles: accepted.roles }),
      now: clock,
      pseudonym: (subject) => keys.pseudonym(subject),
      mandateOf,
      ...(authorization === undefined ? {} : { isInForce: authorization.isInForce }),
    },
  };
}

function smartServerOf(accepted: AcceptedIssuer, baseUrl: string, now: () => number): FindSmartServer {
  if (!accepted.development) return discovery(accepted.issuer, now);
  const server = Promise.resolve(developmentServer(baseUrl));
  return () => server;
}

/** Opens what it remembers. */
function openAuthorization({ settings, keys }: AskerRooms, accepted: AcceptedIssuer): Authorization {
  const store = new SignInStore(settings.dataDir, keys.seal);
  const ports = {
    ...{ settings, store, register: new Register(registerFile(settings.dataDir)), launches: new Launches(store) },
    memory: new Memory(keys),
    cookieSecret: keys.hmac('lookup', 'sign-in cookies'),
  };
  let provider: Promise<Provider> | undefined;
  return {
    isInForce: ({ client_id: clientId, jti = '' }) =>
      typeof clientId !== 'string' || ['AccessToken', 'ClientCredentials'].some((model) => store.has(model, jti)),
    routes: (authenticate, fhir) =>
      authorizationRoutes({
        ...ports,
        provider: () => (provider ??= openProvider(ports)),
        ...{ authenticate, keys: accepted.keys },
        maySee: (actor, patient) => maySee(fhir, actor, patient),
      }),
    close: () => {
      store.close();
    },
  };
}

async function maySee(fhir: Fhir, actor: Actor, patient: string): Promise<boolean> {
  if (!/^[A-Za-z0-9.-]{1,64}$/.test(patient)) return false;
  const path = `Patient/${patient}`;
  const { status } = await fhir({ method: 'GET', path, query: new URLSearchParams(), headers: {}, actor });
  return status === 200;
}
