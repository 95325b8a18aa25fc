/** Operations on subscriptions as lines of the table of what is served. */
import { Refusal } from '../../ledger/refusal.js';
import type { FhirContext } from '../context.js';
import { byQuery } from '../everything.js';
import { operation, type Route } from '../operation-routes.js';
import type { Subscriptions } from '../request.js';
import { GUIDE } from './topics.js';

function subscriptionsOf({ subscriptions }: FhirContext): Subscriptions {
  if (subscriptions === undefined) throw new Refusal('invalid', 'not-supported', 'nobody can subscribe here');
  return subscriptions;
}

function served(method: string, path: string): Omit<Route, 'run'> {
  const line = operation(method, path, '');
  const definition = `${GUIDE}/OperationDefinition/backport-subscription-${line.code}`;
  return { ...line, definition, needs: 'subscriptions' };
}

/** The table. */
export const SUBSCRIPTIONS: readonly Route[] = ['GET', 'POST'].flatMap((method): Route[] => [
  ...['Subscription/$status', 'Subscription/:id/$status'].map((path) => ({
    ...served(method, path),
    run: (...[context, request, { id }]: Parameters<Route['run']>) =>
      subscriptionsOf(context).status(byQuery(request), id),
  })),
  {
    ...served(method, 'Subscription/:id/$events'),
    run: (context, request, { id = '' }) => subscriptionsOf(context).events(byQuery(request), id),
  },
  ...['Subscription/$get-ws-binding-token', 'Subscription/:id/$get-ws-binding-token'].map((path) => ({
    ...served(method, path),
    run: (...[context, request, { id }]: Parameters<Route['run']>) =>
      subscriptionsOf(context).bindingToken(byQuery(request), id),
  })),
]);
