/** Where the paths of posted search parameters lead: walked as they stand, for no code is made of what a client sends. */
import type { JsonObject } from '../../fhir/json.js';
import type { ElementTable } from '../compile/elements.js';
import { type Path, type Step, UnsupportedExpression } from '../compile/expression.js';
import { isTarget } from '../values/reference.js';

/** FHIR types that a path's values may have. Throws UnsupportedExpression where a step leads nowhere. */
export function typesAt(table: ElementTable, { steps, existence }: Path, type: string): readonly string[] {
  let types: readonly string[] = [type];
  for (const [at, step] of steps.entries()) {
    types = [...new Set(types.flatMap((each) => after(table, step, steps[at - 1], each)))];
    if (types.length === 0) throw new UnsupportedExpression(`${nameOf(step)} leads to nothing in ${type}`);
  }
  return existence ? ['boolean'] : types;
}

function after(table: ElementTable, step: Step, before: Step | undefined, type: string): readonly string[] {
  if (step.kind === 'property')
    return isPrimitive(type) ? [] : table.fields(type, step.name).map((field) => field.type);
  return mayFit(table, step, before, type) ? [type] : [];
}

/** Whether any value of the type may fit a step that keeps some. */
function mayFit(table: ElementTable, step: Step, before: Step | undefined, type: string): boolean {
  switch (step.kind) {
    case 'equals':
      return table.fields(type, step.property).length > 0;
    case 'targets':
      return type === 'Reference';
    case 'first':
      return before?.kind === 'property';
    default:
      return step.kind === 'type' && step.type === type;
  }
}

/** What such a value has beside itself lies in another property of its JSON, which is not looked into. */
function isPrimitive(type: string): boolean {
  return /^[a-z]/.test(type);
}

function nameOf(step: Step): string {
  switch (step.kind) {
    case 'property':
      return step.name;
    case 'type':
      return `ofType(${step.type})`;
    case 'equals':
      return `where(${step.property}=…)`;
    case 'targets':
      return `where(resolve() is ${step.type})`;
    case 'first':
      return '[0]';
  }
}

/** Hears of a value and its FHIR type. */
type Leaf = (value: unknown, fhirType: string) => void;

/** Every value at the end of a path. Throws TypeError for what is no resource of the type. */
export function collect(table: ElementTable, path: Path, resource: JsonObject, leaf: Leaf): void {
  const type = String(resource.resourceType);
  if (!path.existence) {
    visit(table, path.steps, resource, type, leaf);
    return;
  }
  let isThere = false;
  visit(table, path.steps, resource, type, (value) => {
    isThere ||= value !== false;
  });
  leaf(isThere, 'boolean');
}

function visit(table: ElementTable, [step, ...rest]: readonly Step[], value: unknown, type: string, leaf: Leaf): void {
  if (step === undefined) {
    leaf(value, type);
    return;
  }
  const fits = (isSo: boolean): void => {
    if (isSo) visit(table, rest, value, type, leaf);
  };
  switch (step.kind) {
    case 'property':
      for (const { inner, innerType } of within(table, step.name, rest[0], value as JsonObject, type)) {
        visit(table, rest, inner, innerType, leaf);
      }
      return;
    case 'type':
      fits(step.type === type);
      return;
    case 'equals':
      fits((value as JsonObject)[step.property] === step.value);
      return;
    case 'targets':
      fits(type === 'Reference' && isTarget(value as JsonObject, step.type));
      return;
    case 'first':
      fits(true);
  }
}

function* within(
  table: ElementTable,
  name: string,
  next: Step | undefined,
  parent: JsonObject,
  type: string,
): Generator<{ readonly inner: unknown; readonly innerType: string }> {
  for (const field of table.fields(type, name)) {
    const found = parent[field.name];
    if (found === undefined || found === null) continue;
    const all = field.repeats ? [...(found as Iterable<unknown>)] : [found];
    for (const inner of next?.kind === 'first' ? all.slice(0, 1) : all) {
      if (inner !== null) yield { inner, innerType: field.type };
    }
  }
}
