import type { Bearer, Members } from '../members.js';

/** A request to a member's gateway. */
export interface Request {
  readonly method?: string;
  /** From the origin on. */
  readonly path: string;
  readonly bearer: Bearer;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What came back; status 0 = nothing. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly location?: string;
  /** X-Block. */
  readonly block?: string;
  /** Content-Length. */
  readonly length?: string;
}

/** Asks one of a member's gateways, by its place, and waits so long for the whole answer. */
export async function askMember(
  members: Members,
  { member, gateway }: { readonly member: string; readonly gateway: number },
  request: Request,
  patienceMs: number,
): Promise<Answer> {
  const { method = 'GET', path, bearer, body, headers } = request;
  const token = await members.token(member, gateway, bearer);
  const url = new URL(path, members.urlsOf(member)[gateway]);
  try {
    const response = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${token}`, ...headers },
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.timeout(patienceMs),
    });
    const [location, block, length] = ['location', 'x-block', 'content-length'].map(
      (name) => response.headers.get(name) ?? undefined,
    );
    const text = await response.text();
    const named = { ...(location && { location }), ...(block && { block }), ...(length && { length }) };
    return { status: response.status, text, ...named };
  } catch {
    return { status: 0, text: '' };
  }
}
