/** Puts trials at one gateway together from its rooms. */
import type { TrialView } from '@salus/chaincode/trial/api';

import { type KeepPorts, keeper } from '../ehr/keep.js';
import { catchUp } from '../fhir/context.js';
import type { Fhir } from '../fhir/request.js';
import type { KeyStore } from '../keys/key-store.js';
import { NamedSecrets } from '../keys/named-secrets.js';
import { PendingWork } from '../keys/pending-work.js';
import { SharedSecrets } from '../keys/shared-secrets.js';
import { agreeing } from '../ledger/agreeing.js';
import { claim, type ClaimingPorts } from './claiming.js';
import type { ContentFacts } from './content.js';
import { ConsentedUse, type UsePorts } from './consented-use.js';
import { Entering } from './entering.js';
import { type TrialPorts, withTrials } from './operations.js';
import { Randomizing } from './randomizing.js';
import { readTrial } from './reading.js';

type Claimed = Parameters<TrialPorts['claim']>;

/** The rooms of a gateway that trials take part in. */
export type TrialRooms = Pick<TrialPorts, 'ledger'> &
  KeepPorts & {
    readonly settings: { readonly member: string; readonly gateway: string; readonly mspId: string };
    readonly keys: KeyStore;
    readonly projection: ContentFacts & UsePorts['facts'] & { current: ClaimingPorts['current'] };
    readonly clock: () => number;
  };

/** Trials at one gateway: their operations, what the page shows, and what is gone on with until the signal aborts. */
export interface Trials {
  readonly inFrontOf: (fhir: Fhir) => Fhir;
  readonly view: (name: string) => Promise<TrialView | undefined>;
  readonly goOn: (signal: AbortSignal) => Promise<void>;
}

/** What of consent's decisions trials take part in. */
type TrialDecision = TrialPorts['decision'] &
  Pick<ClaimingPorts, 'shown'> & { readonly deniesResearch: UsePorts['denies'] };

/** Opens them. */
export function openTrials(
  rooms: TrialRooms,
  { decision, say }: { readonly decision: TrialDecision; readonly say: TrialPorts['ask'] },
): Trials {
  const { settings, keys, clock, projection: facts } = rooms;
  const ledger = agreeing(rooms.ledger, settings.mspId);
  const own = { ledger, facts, ask: say };
  const keep = keeper(rooms);
  const entering = new Entering({ ...own, keep, pending: new PendingWork(keys, settings.gateway) });
  const use = new ConsentedUse({ ledger, facts, denies: decision.deniesResearch });
  const secrets = new SharedSecrets({ mspId: settings.mspId, ledger, secrets: new NamedSecrets(keys) });
  const current: ClaimingPorts['current'] = (type, id) => facts.current(type, id);
  const shown = (patient: string): void => {
    decision.shown(patient);
  };
  const claiming = { ledger, shown, facts, keep, secrets, current };
  const ports = {
    ...{
      ...own,
      keep,
      member: settings.member,
      decision,
      shown,
      now: clock,
      entering,
      randomizing: new Randomizing(ledger),
    },
    catchUp: (request: Parameters<TrialPorts['catchUp']>[0]) => catchUp({ projection: facts }, request),
    claim: (...asked: Claimed) => claim(claiming, ...asked),
  };
  return {
    inFrontOf: (fhir) => withTrials(fhir, ports),
    view: (name) => readTrial(ledger, name),
    goOn: async (signal) => {
      await Promise.all([entering.goOn(signal), use.goOn(signal)]);
    },
  };
}
