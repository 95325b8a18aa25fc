/** Terminology operations as lines of the table of what is served. */
import { operation, type Route } from '../operation-routes.js';
import { expand } from './expand.js';
import { lookUp } from './lookup.js';
import { subsumes } from './subsumes.js';
import { translate } from './translate.js';
import { validateInSet, validateInSystem } from './validate-code.js';

type Run = (...asked: Parameters<typeof expand>) => ReturnType<typeof expand>;

/** By GET and POST, of a type and of one of its instances. */
function served(path: readonly [type: string, name: string], definition: string, run: Run): Route[] {
  const [type, name] = path;
  return ['GET', 'POST'].flatMap((method): Route[] => [
    { ...operation(method, `${type}/${name}`, definition), run: (context, request) => run(context, request) },
    {
      ...operation(method, `${type}/:id/${name}`, definition),
      run: (context, request, { id }) => run(context, request, id),
    },
  ]);
}

/** $lookup has no instance. */
const LOOKUP: readonly Route[] = ['GET', 'POST'].map((method) => ({
  ...operation(method, 'CodeSystem/$lookup', 'CodeSystem-lookup'),
  run: (context, request) => lookUp(context, request),
}));

/** The table. */
export const TERMINOLOGY: readonly Route[] = [
  ...served(['ValueSet', '$expand'], 'ValueSet-expand', expand),
  ...served(['ValueSet', '$validate-code'], 'ValueSet-validate-code', validateInSet),
  ...served(['CodeSystem', '$validate-code'], 'CodeSystem-validate-code', validateInSystem),
  ...LOOKUP,
  ...served(['CodeSystem', '$subsumes'], 'CodeSystem-subsumes', subsumes),
  ...served(['ConceptMap', '$translate'], 'ConceptMap-translate', translate),
];
