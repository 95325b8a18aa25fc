/**
 * What USDM 4.0 has no place for, as its extensionAttributes, which every class of it has: so that an export imported again is
 * the same protocol. Pure.
 */

/** What is extended: of an endpoint, of an arm, of a design, of an activity. */
const urls = {
  metric: 'urn:salus:outcome-metric',
  analysis: 'urn:salus:outcome-analysis',
  ratio: 'urn:salus:allocation-ratio',
  scheme: 'urn:salus:allocation-scheme',
  stratum: 'urn:salus:allocation-stratum',
  questionnaire: 'urn:salus:form-questionnaire',
} as const;
/** One of the extensions. */
type Extension = keyof typeof urls;

/** An item of a file as far as it is extended. */
export interface Extended {
  readonly extensionAttributes?: readonly { readonly url?: string; readonly valueString?: unknown }[] | null;
}

/** The attributes of an item, by its id; absent where there is nothing to say. */
export function extensions(
  id: string,
  values: Readonly<Partial<Record<Extension, string | readonly string[] | undefined>>>,
): object {
  const said = (Object.keys(values) as Extension[]).flatMap((name) =>
    [values[name] ?? []].flat().map((valueString) => ({ url: urls[name], valueString })),
  );
  const extensionAttributes = said.map((each, index) => {
    return { id: `${id}_Extension_${index + 1}`, ...each, instanceType: 'ExtensionAttribute' };
  });
  return extensionAttributes.length === 0 ? {} : { extensionAttributes };
}

/** An item with these texts under an extension in place of what it has there; its other attributes stay as they are. */
export function withExtension<T extends Extended & { readonly id?: string }>(
  item: T,
  name: Extension,
  values: readonly string[],
): T {
  const others = (item.extensionAttributes ?? []).filter(({ url }) => url !== urls[name]);
  const added = values.map((valueString, index) => {
    const id = `${item.id ?? ''}_Extension_${name}_${index + 1}`;
    return { id, url: urls[name], valueString, instanceType: 'ExtensionAttribute' };
  });
  return { ...item, extensionAttributes: [...others, ...added] };
}

/** Every text under an extension of an item. */
export function extended({ extensionAttributes }: Extended, name: Extension): readonly string[] {
  return (extensionAttributes ?? []).flatMap(({ url, valueString }) =>
    url === urls[name] && typeof valueString === 'string' ? [valueString] : [],
  );
}
