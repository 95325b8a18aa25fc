/** Query parameters about members of somebody's own: at the event, in ILMD, in sensors, in places and error declarations. */
import { asList, isMap } from '../event/json.js';
import type { Namespaces } from '../event/namespaces.js';
import { nameOf, type Relation, relates, valuesOf } from './match.js';
import type { Predicate, Values } from './query.js';
import type { ReadableEvent } from './stored.js';

/** Where a member of one's own may lie. */
const PLACES: Readonly<Record<string, (event: ReadableEvent['event']) => readonly unknown[]>> = {
  '': (event) => [event],
  ILMD: ({ ilmd }) => [ilmd],
  ERROR_DECLARATION: ({ errorDeclaration }) => [errorDeclaration],
  readPoint: ({ readPoint }) => [readPoint],
  bizLocation: ({ bizLocation }) => [bizLocation],
  SENSORELEMENT: ({ sensorElementList }) => asList(sensorElementList),
  SENSORMETADATA: ({ sensorElementList }) => elements(sensorElementList, 'sensorMetadata'),
  SENSORREPORT: ({ sensorElementList }) => elements(sensorElementList, 'sensorReport'),
};

const PARAMETER =
  /^(EQ|GT|GE|LT|LE|EXISTS)_(INNER_)?(?:(ILMD|ERROR_DECLARATION|readPoint|bizLocation|SENSORELEMENT|SENSORMETADATA|SENSORREPORT)_)?(.+[:#].+)$/;

/** The predicate of such a parameter; undefined for any other. `asking` are the prefixes of whoever asks. */
export function extensionParameter(name: string, values: Values, asking: Namespaces): Predicate | undefined {
  const [, relation = '', inner, place = '', member] = PARAMETER.exec(name) ?? [];
  const read = PLACES[place];
  if (member === undefined || read === undefined) return undefined;
  return ({ event, namespaces }) => {
    const wanted = nameOf(member, new Map([...namespaces, ...asking]));
    const where = { namespaces, inner: inner !== undefined };
    const found = valuesOf(read(event), wanted, where);
    if (relation === 'EXISTS') return found.length > 0;
    return found.some((each) => values.some((asked) => !isMap(each) && relates(relation as Relation, each, asked)));
  };
}

function elements(list: unknown, name: string): readonly unknown[] {
  return asList(list)
    .filter(isMap)
    .flatMap((element) => asList(element[name]));
}
