/** The gateway's domains, what each makes of committed writes and what each serves: the lists and nothing else. */
import { accessProjector } from './access/project.js';
import { AUDIT_SERVED } from './access/resource.js';
import { clockProjector } from './clock/project.js';
import { consentProjector } from './consent/project.js';
import { CONSENT_SERVED } from './consent/resource.js';
import { ehrProjector } from './ehr/project.js';
import { erasureProjector } from './erasure/project.js';
import type { Served } from './fhir/request.js';
import { SUBSCRIPTION_SERVED } from './fhir/subscription/topics.js';
import type { KeyStore } from './keys/key-store.js';
import { patientProjector } from './patient/project.js';
import type { Projector } from './projection/projector.js';
import { registryProjector } from './registry/project.js';
import { supplyOperations } from './supply/dispense/face.js';
import { dispensingOperations } from './supply/dispense/operations.js';
import { supplyProjector } from './supply/project.js';
import { CONTENT_SPACE } from './trial/content.js';
import { trialOperations } from './trial/operations.js';

/** The projectors of all domains at one member, whose `keys` tell under which ledger key a resource lies. */
export function projectors(member: string, keys: Pick<KeyStore, 'hmac'>): readonly Projector[] {
  return [
    registryProjector,
    clockProjector,
    patientProjector,
    consentProjector(member),
    accessProjector,
    ehrProjector(member, keys),
    erasureProjector(member),
    supplyProjector,
  ];
}

/** Spaces of facts that go with the version they came from. */
export const originSpaces: readonly string[] = [CONTENT_SPACE];

/** What is served of the types that domains handle themselves. */
export const servedTypes: Readonly<Record<string, Served>> = {
  Consent: CONSENT_SERVED,
  AuditEvent: AUDIT_SERVED,
  Subscription: SUBSCRIPTION_SERVED,
};

/** Operations that domains answer in front of the router, by the type they are one of; '' = of the server. */
export const domainOperations: Readonly<Record<string, readonly string[]>> = {
  '': ['break-glass', 'erasure'],
  Patient: [
    ...[
      'break-glass',
      'closure',
      'confirm-link',
      'erase',
      'export-record',
      'import-record',
      'legal-hold',
      'link',
      'links',
      'patient-key',
      'reopen',
    ],
    'unlink',
    'waiting-links',
  ],
  Consent: ['evaluate'],
  ...dispensingOperations,
  ...supplyOperations,
  ResearchStudy: trialOperations,
};
