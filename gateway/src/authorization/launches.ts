/** Launch context (SMART App Launch 2.2, scopes-and-launch-context): for which patient an app was opened. */
import { randomBytes } from 'node:crypto';

import type { SignInStore } from './store.js';

/** How long an EHR's launch waits for the app to come, seconds. */
const LAUNCH_S = 600;
const LAUNCH = 'Launch';
const CONTEXT = 'LaunchContext';

/** What an EHR had open. */
export interface Launch {
  /** Subject of whoever launched the app: nobody else's sign-in goes on from it. */
  readonly user: string;
  /** FHIR id. */
  readonly patient: string;
}

/** What the app is told with its token. */
export interface LaunchContext {
  /** FHIR id. */
  readonly patient: string;
  /** Whether the app must show itself whose record it shows: not where an EHR around it does. */
  readonly needsBanner: boolean;
}

/** Launches that wait, and the context of each grant. */
export class Launches {
  constructor(private readonly store: SignInStore) {}

  /** The value of the parameter `launch` under which it waits. */
  begin(launch: Launch): string {
    const id = randomBytes(32).toString('base64url');
    this.store.keep(LAUNCH, id, { payload: launch }, LAUNCH_S);
    return id;
  }

  /** A launch of this person's, once. */
  take(id: string, user: string): Launch | undefined {
    const launch = this.store.take(LAUNCH, id)?.payload as Launch | undefined;
    return launch?.user === user ? launch : undefined;
  }

  /** Keeps a grant's context as long as the grant. */
  keep(grantId: string, context: LaunchContext, seconds: number): void {
    this.store.keep(CONTEXT, grantId, { payload: context }, seconds);
  }

  contextOf(grantId: string): LaunchContext | undefined {
    return this.store.find(CONTEXT, grantId)?.payload as LaunchContext | undefined;
  }
}
