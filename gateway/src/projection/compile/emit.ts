/** Writes JavaScript that walks a resource along a search parameter's paths and hands each value to its converter. */
import { isConvertible } from '../values/converters.js';
import type { ElementTable, Field } from './elements.js';
import type { Path, Step } from './expression.js';

/** JavaScript that collects the value held in `variable`. */
type Leaf = (variable: string, fhirType: string) => string;

/** JavaScript for one search parameter. */
export interface Emitted {
  readonly code: string;
  /** FHIR types that the expression reaches and no converter takes. */
  readonly left: readonly string[];
}

/** One part of a composite parameter: its kind and where its values are. */
export interface Component {
  readonly kind: string;
  readonly paths: readonly Path[];
}

/** Emits the collection of one parameter from variable `r`, a resource of `type`. */
export class Emitter {
  private variables = 0;

  constructor(private readonly table: ElementTable) {}

  parameter(kind: string, number: number, paths: readonly Path[], type: string): Emitted {
    return this.collect(
      kind,
      paths,
      type,
      'r',
      (variable, fhirType) => `${kind}['${fhirType}'](out, ${number}, ${variable});`,
    );
  }

  /** A composite: for each context element, the values of both components are paired. */
  composite(number: number, contexts: readonly Path[], components: readonly Component[], type: string): Emitted {
    const left: string[] = [];
    const code = contexts.map((context) =>
      this.walk(context, type, 'r', (node, nodeType) => {
        const parts = components.map((component) => this.component(component, nodeType, node, left));
        const scratches = parts.map((part) => part.scratch).join(', ');
        return `${parts.map((part) => part.code).join('\n')}\nout.pair(${number}, ${scratches});`;
      }),
    );
    return { code: code.join('\n'), left };
  }

  /** Walks to the references a path reaches. */
  references(path: Path, type: string, leaf: (variable: string) => string): string {
    return this.walk(path, type, 'r', (variable, fhirType) => (fhirType === 'Reference' ? leaf(variable) : ''));
  }

  private component({ kind, paths }: Component, type: string, node: string, left: string[]) {
    const scratch = this.variable('s');
    const emitted = this.collect(
      kind,
      paths,
      type,
      node,
      (variable, fhirType) => `${kind}['${fhirType}'](${scratch}, 0, ${variable});`,
    );
    left.push(...emitted.left);
    return { scratch, code: `const ${scratch} = out.scratch();\n${emitted.code}` };
  }

  private collect(kind: string, paths: readonly Path[], type: string, start: string, leaf: Leaf): Emitted {
    const left: string[] = [];
    const code = paths.map((path) =>
      path.existence
        ? this.existence(path, type, leaf)
        : this.walk(path, type, start, (variable, fhirType) => {
            if (isConvertible(kind, fhirType)) return leaf(variable, fhirType);
            left.push(fhirType);
            return '';
          }),
    );
    return { code: code.filter((part) => part !== '').join('\n'), left };
  }

  /** `X.exists() and X != false` as a token true or false. */
  private existence(path: Path, type: string, leaf: Leaf): string {
    const found = this.variable('f');
    const walk = this.walk(path, type, 'r', (variable) => `if (${variable} !== false) ${found} = true;`);
    return `let ${found} = false;\n${walk}\n${leaf(found, 'boolean')}`;
  }

  private walk(path: Path, type: string, start: string, leaf: Leaf): string {
    return this.steps(path.steps, type, start, leaf);
  }

  private steps(steps: readonly Step[], type: string, variable: string, leaf: Leaf): string {
    const [step, ...rest] = steps;
    if (step === undefined) return leaf(variable, type);
    switch (step.kind) {
      case 'property':
        return this.property(step.name, rest, type, variable, leaf);
      case 'type':
        return step.type === type ? this.steps(rest, type, variable, leaf) : '';
      case 'equals':
        return `if (${variable}.${step.property} === ${JSON.stringify(step.value)}) {\n${this.steps(rest, type, variable, leaf)}\n}`;
      case 'targets':
        return `if (isTarget(${variable}, '${step.type}')) {\n${this.steps(rest, type, variable, leaf)}\n}`;
      case 'first':
        return this.steps(rest, type, variable, leaf);
    }
  }

  private property(name: string, rest: readonly Step[], type: string, parent: string, leaf: Leaf): string {
    const parts = this.table.fields(type, name).map((field) => {
      const inner = this.variable('v');
      const body = this.steps(rest, field.type, inner, leaf);
      return body === '' ? '' : enclose(field, parent, inner, body, rest[0]?.kind === 'first');
    });
    return parts.filter((part) => part !== '').join('\n');
  }

  private variable(letter: string): string {
    this.variables += 1;
    return `${letter}${this.variables}`;
  }
}

function enclose(field: Field, parent: string, inner: string, body: string, first: boolean): string {
  const source = `${parent}.${field.name}`;
  if (field.repeats && !first)
    return `for (const ${inner} of ${source} ?? none) {\nif (${inner} !== null) {\n${body}\n}\n}`;
  return `const ${inner} = ${source}${first ? '?.[0]' : ''};\nif (${inner} !== undefined && ${inner} !== null) {\n${body}\n}`;
}
