/** The gateway's domains and what each makes of committed writes: the list and nothing else. */
import { accessProjector } from './access/project.js';
import { consentProjector } from './consent/project.js';
import { ehrProjector } from './ehr/project.js';
import { erasureProjector } from './erasure/project.js';
import { patientProjector } from './patient/project.js';
import type { Projector } from './projection/projector.js';
import { registryProjector } from './registry/project.js';

/** The projectors of all domains at one member. */
export function projectors(member: string): readonly Projector[] {
  return [
    registryProjector,
    patientProjector,
    consentProjector(member),
    accessProjector,
    ehrProjector(member),
    erasureProjector(member),
  ];
}
