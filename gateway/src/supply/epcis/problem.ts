/** Why the EPCIS interface declines: EPCIS 2.0 section 12, as RFC 7807 problems. */

import type { Refusal } from '../../ledger/refusal.js';

/** Each exception with its HTTP status and title. */
const EXCEPTIONS = {
  ValidationException: [400, 'The EPCIS document or event is not valid'],
  QueryParameterException: [400, 'A query parameter is not valid'],
  QueryTooLargeException: [413, 'The answer would be larger than the query allows'],
  SubscriptionControlsException: [400, 'The subscription cannot be kept as asked for'],
  InvalidURIException: [400, 'The address of the subscriber is not one to deliver to'],
  SecurityException: [401, 'Who asks is not known, or may not'],
  NoSuchNameException: [404, 'There is no query of this name'],
  NoSuchResourceException: [404, 'There is no such resource'],
  NotAcceptableException: [406, 'The answer is not available as asked for'],
  ResourceAlreadyExistsException: [409, 'The resource exists already'],
  CaptureLimitExceededException: [413, 'The capture is larger than this server takes'],
  UnsupportedMediaTypeException: [415, 'The body is in a format that is not taken'],
  ImplementationException: [500, 'Something failed here'],
} as const satisfies Readonly<Record<string, readonly [number, string]>>;

/** Name of an EPCIS exception. */
export type ExceptionName = keyof typeof EXCEPTIONS;

/** A request declined. */
export class EpcisProblem extends Error {
  override readonly name = 'EpcisProblem';

  constructor(
    readonly exception: ExceptionName,
    readonly detail: string,
    private readonly otherStatus?: number,
  ) {
    super(`${exception}: ${detail}`);
  }

  get status(): number {
    return this.otherStatus ?? EXCEPTIONS[this.exception][0];
  }

  /** The body of application/problem+json. */
  get body(): Readonly<Record<string, unknown>> {
    const [, title] = EXCEPTIONS[this.exception];
    return { type: `epcisException:${this.exception}`, title, status: this.status, detail: this.detail };
  }
}

/** HTTP status of each category of refusal, as problems. */
const REFUSED = {
  invalid: ['ValidationException', 400],
  forbidden: ['SecurityException', 403],
  'not-found': ['NoSuchResourceException', 404],
  conflict: ['ResourceAlreadyExistsException', 409],
  gone: ['NoSuchResourceException', 410],
  unavailable: ['ImplementationException', 503],
} as const;

/** A refusal of the ledger's, or of who asks, as a problem. */
export function refusalProblem({ category, code, detail }: Refusal): EpcisProblem {
  const [exception, status] = REFUSED[category];
  return new EpcisProblem(exception, detail, code === 'unauthenticated' ? 401 : status);
}

/** What was asked for may have taken effect, or may yet: nobody is told that it failed. */
export function notKnownYet(): EpcisProblem {
  return new EpcisProblem('ImplementationException', 'it is not known yet whether this took effect: look again', 503);
}
