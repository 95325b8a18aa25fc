/** The StructureDefinitions cut down to what validation reads, one file per resource type and one for the data types. */
import type { JsonObject } from '../../fhir/json.js';
import type { ElementDefinition, StructureDefinition } from './elements.js';

/** Fields of an element that say nothing to a validator. */
const PROSE = new Set([
  ...['short', 'definition', 'comment', 'requirements', 'alias', 'mapping', 'example', 'orderMeaning', 'condition'],
  ...['isModifier', 'isModifierReason', 'meaningWhenMissing', 'representation', 'code', 'extension'],
]);

/** A StructureDefinition without what only people read. */
export function trimmed(definition: StructureDefinition): JsonObject {
  const { resourceType, id, url, name, type, kind, abstract, baseDefinition, derivation } = definition;
  const element = definition.snapshot.element.map(trimmedElement);
  return { resourceType, id, url, name, type, kind, abstract, baseDefinition, derivation, snapshot: { element } };
}

function trimmedElement(element: ElementDefinition): JsonObject {
  const kept = Object.entries(element).filter(([name]) => !PROSE.has(name));
  return { ...Object.fromEntries(kept), ...constraints(element) };
}

/** FHIRPath's name for UCUM (R4 fhirpath.html#variables), which evaluators need not know. */
function spelledOut(expression: unknown): unknown {
  return typeof expression === 'string' ? expression.replaceAll('%ucum', "'http://unitsofmeasure.org'") : expression;
}

/** Constraints without their XPath, and without those that only warn. */
function constraints(element: ElementDefinition): JsonObject {
  const all = element.constraint as readonly JsonObject[] | undefined;
  if (all === undefined) return {};
  const constraint = all
    .filter((each) => each.severity === 'error')
    .map(({ key, severity, human, expression }) => ({ key, severity, human, expression: spelledOut(expression) }));
  return { constraint };
}
