/** What the asker of a request may see, stored or derived, as the projection's search asks it resource by resource. */
import type { Sight } from '../projection/search/sight.js';
import { storedSightOf, type FhirContext } from './context.js';
import { derivedMeeting } from './provenance.js';
import type { FhirRequest, Interaction } from './request.js';

/** Of what is stored, and of the Provenance that is derived of it. */
export function sightOf(context: FhirContext, request: FhirRequest, interaction: Interaction): Sight {
  return {
    ...storedSightOf(context, request, interaction),
    derived: (type, filter) => (type === 'Provenance' ? derivedMeeting(context, request, filter, interaction) : []),
  };
}
