/** What the development authorization server asks of the gateway around it. */
import type { JWTVerifyGetKey } from 'jose';
import type Provider from 'oidc-provider';

import type { Authenticate } from '../fhir/express.js';
import type { Memory } from '../keys/memory.js';
import type { Actor } from '../ports.js';
import type { GatewaySettings } from '../settings.js';
import type { Launches } from './launches.js';
import type { Register } from './register.js';
import type { SignInStore } from './store.js';

/** What the protocol works with. */
export interface SignInPorts {
  readonly settings: GatewaySettings;
  readonly register: Register;
  readonly store: SignInStore;
  readonly launches: Launches;
  readonly memory: Memory;
  /** Hex secret that session cookies are signed with, the same at all of the member's gateways. */
  readonly cookieSecret: string;
}

/** What the routes work with. */
export interface AuthorizationPorts extends SignInPorts {
  readonly provider: () => Promise<Provider>;
  readonly authenticate: Authenticate;
  /** Whether the actor may read this Patient (FHIR id); the read is logged as any other. */
  readonly maySee: (actor: Actor, patient: string) => Promise<boolean>;
  /** Verify access tokens made here. */
  readonly keys: JWTVerifyGetKey;
}

/** Bytes of a form or of a launch that are read. */
export const SIGN_IN_BODY_LIMIT = 32_768;
