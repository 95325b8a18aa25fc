/** JSON over HTTP beside the standards' interfaces: who asks and may, and refusals as `{error, detail}`. */
import type { Request, RequestHandler, Response } from 'express';

import { outcomeOf } from '../fhir/outcome.js';
import { Refusal } from '../ledger/refusal.js';
import type { Actor } from '../ports.js';

/** Who asks, and where a fault goes that is nobody's fault who asked. */
export interface HttpPorts {
  readonly actorOf: (request: Request) => Promise<Actor>;
  readonly onFault: (error: unknown) => void;
}

/** A handler for people of these roles that answers with JSON. */
export function answering(
  { actorOf, onFault }: HttpPorts,
  roles: readonly string[],
  work: (actor: Actor, request: Request) => Promise<object>,
): RequestHandler {
  return async (request, response) => {
    response.set('Cache-Control', 'no-store');
    try {
      const actor = await actorOf(request);
      if (!roles.includes(actor.role)) {
        throw new Refusal('forbidden', 'not-your-role', `only these roles may: ${roles.join(', ')}`);
      }
      response.json(await work(actor, request));
    } catch (error) {
      if (!(error instanceof Refusal)) onFault(error);
      decline(response, error instanceof Refusal ? error : new Refusal('unavailable', 'unavailable', 'try again'));
    }
  };
}

function decline(response: Response, refusal: Refusal): void {
  const { status } = outcomeOf(refusal);
  if (status === 401) response.set('WWW-Authenticate', 'Bearer');
  response.status(status).json({ error: refusal.code, detail: refusal.detail });
}
