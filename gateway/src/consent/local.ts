/** References of a consent's rules that lead to this server by its address, as rules name resources: `Type/id`. Pure. */
import type { JsonObject } from '../fhir/json.js';

/** The consent with such references shortened; of anything else they stay, and are refused. `base` ends without a slash. */
export function withLocalReferences(consent: JsonObject, base: string): JsonObject {
  if (typeof consent.provision !== 'object' || consent.provision === null) return consent;
  return { ...consent, provision: shortened(consent.provision, `${base}/`) };
}

function shortened(value: unknown, base: string): unknown {
  if (Array.isArray(value)) return value.map((each) => shortened(each, base));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, inner]: [string, unknown]) => {
    const isOurs = name === 'reference' && typeof inner === 'string' && inner.startsWith(base);
    return [name, isOurs ? inner.slice(base.length) : shortened(inner, base)];
  });
  return Object.fromEntries(entries) as JsonObject;
}
