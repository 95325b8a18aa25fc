/** Which types R4's elements have and whether they repeat, by their StructureDefinitions. */
import type { JsonObject } from '../../fhir/json.js';

/** R4 ElementDefinition, as far as it is read. */
export interface ElementDefinition extends JsonObject {
  readonly id: string;
  readonly path: string;
  readonly max?: string;
  readonly type?: readonly { readonly code: string; readonly targetProfile?: readonly string[] }[];
  readonly contentReference?: string;
  readonly binding?: { readonly strength: string; readonly valueSet?: string };
}

/** R4 StructureDefinition with its snapshot, as far as it is read. */
export interface StructureDefinition extends JsonObject {
  readonly name: string;
  readonly type: string;
  readonly url: string;
  readonly kind: string;
  readonly abstract: boolean;
  readonly derivation?: string;
  readonly snapshot: { readonly element: readonly ElementDefinition[] };
}

/** A property that a type's JSON may have. */
export interface Field {
  /** Property name in JSON; one per type for a choice. */
  readonly name: string;
  /** FHIR type, or the path of a backbone element such as `Patient.contact`. */
  readonly type: string;
  readonly repeats: boolean;
  /** That its codes are required to be of, without its version. */
  readonly valueSet?: string;
}

function requiredSet({ binding }: ElementDefinition): Pick<Field, 'valueSet'> {
  const valueSet = binding?.strength === 'required' ? binding.valueSet?.split('|')[0] : undefined;
  return valueSet === undefined ? {} : { valueSet };
}

/** Looks up fields by the type or backbone path they lie in. */
export class ElementTable {
  private readonly elements = new Map<string, ElementDefinition>();

  constructor(definitions: readonly StructureDefinition[]) {
    for (const definition of definitions) {
      if (definition.derivation === 'constraint') continue;
      for (const element of definition.snapshot.element) this.elements.set(element.path, element);
    }
  }

  /** The fields a FHIRPath property stands for: several for a choice of types, none when there is no such element. */
  fields(parent: string, name: string): Field[] {
    const single = this.elements.get(`${parent}.${name}`);
    if (single !== undefined) return [this.field(parent, name, single)];
    const choice = this.elements.get(`${parent}.${name}[x]`);
    return (choice?.type ?? []).map(({ code }) => ({
      name: name + code.charAt(0).toUpperCase() + code.slice(1),
      type: code,
      repeats: choice?.max !== '1',
    }));
  }

  private field(parent: string, name: string, element: ElementDefinition): Field {
    const repeats = element.max !== '1';
    if (element.contentReference !== undefined) return { name, type: element.contentReference.slice(1), repeats };
    const code = element.type?.[0]?.code ?? 'Element';
    const inline = code === 'BackboneElement' || code === 'Element';
    const type = inline ? `${parent}.${name}` : code.startsWith('http://hl7.org/fhirpath/') ? 'string' : code;
    return { name, type, repeats, ...requiredSet(element) };
  }
}
