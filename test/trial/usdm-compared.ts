/** What differs between two JSON documents, field by field; it knows nothing of how either was made. */

/** One difference. Items of lists are told apart by their `id` where all have one, else by their place. */
export interface Difference {
  readonly kind: 'lost' | 'changed' | 'added' | 'moved';
  readonly path: string;
}

type Named = readonly (readonly [name: string, value: unknown])[];

/** Every difference, in the order of the first. */
export function differences(before: unknown, after: unknown, path = '$'): readonly Difference[] {
  if (!isParent(before) || !isParent(after)) return Object.is(before, after) ? [] : [{ kind: 'changed', path }];
  if (Array.isArray(before) !== Array.isArray(after)) return [{ kind: 'changed', path }];
  const [one, other] = [membersOf(before, after), membersOf(after, before)];
  const [known, found] = [new Map(one), new Map(other)];
  const within = one.flatMap(([name, value]): readonly Difference[] =>
    found.has(name)
      ? differences(value, found.get(name), `${path}${name}`)
      : [{ kind: 'lost', path: `${path}${name}` }],
  );
  const added = other.filter(([name]) => !known.has(name));
  return [
    ...(Array.isArray(before) && isMoved(one, other) ? [{ kind: 'moved' as const, path }] : []),
    ...within,
    ...added.map(([name]) => ({ kind: 'added' as const, path: `${path}${name}` })),
  ];
}

function isParent(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Whether what both lists have stands in another order. */
function isMoved(one: Named, other: Named): boolean {
  const shared = (list: Named, beside: Named): readonly string[] => {
    const names = new Set(beside.map(([name]) => name));
    return list.map(([name]) => name).filter((name) => names.has(name));
  };
  return shared(one, other).join('\n') !== shared(other, one).join('\n');
}

/** How many values that are no lists or objects a document has. */
export function fieldsOf(value: unknown): number {
  if (!isParent(value)) return 1;
  return Object.values(value).reduce<number>((sum, each) => sum + fieldsOf(each), 0);
}

function membersOf(value: object, other: object): Named {
  if (!Array.isArray(value)) return Object.entries(value).map(([name, each]) => [`.${name}`, each]);
  const isById = [value, other].every((list) => haveIds(list));
  return value.map((each: unknown, index) => [`[${isById ? (each as { id: string }).id : index}]`, each]);
}

function haveIds(list: object): boolean {
  const ids = (list as readonly unknown[]).map((each) => (each as { id?: unknown } | null)?.id);
  return ids.every((id) => typeof id === 'string') && new Set(ids).size === ids.length;
}
