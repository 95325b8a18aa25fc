/** A SMART app, and the person in front of it, over HTTP: what a browser does with redirects, cookies and forms. */
import { createHash, randomBytes } from 'node:crypto';

export const REDIRECT = 'http://127.0.0.1:9/callback';

export interface Endpoints {
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly introspection_endpoint: string;
  readonly revocation_endpoint: string;
  readonly [name: string]: unknown;
}

export interface TokenAnswer {
  readonly access_token: string;
  readonly refresh_token?: string;
  readonly id_token?: string;
  readonly scope: string;
  readonly expires_in: number;
  readonly patient?: string;
  readonly need_patient_banner?: boolean;
  readonly error?: string;
  readonly error_description?: string;
}

/** Where an app is told to ask. */
export async function discover(fhir: string): Promise<Endpoints> {
  const response = await fetch(`${fhir}/.well-known/smart-configuration`);
  return (await response.json()) as Endpoints;
}

/** A browser with cookies and without script. */
export class Browser {
  readonly #cookies = new Map<string, { readonly value: string; readonly path: string }>();
  /** Every address it went to. */
  readonly visited: string[] = [];

  /** Follows redirects until a page, or an address that is the app's. */
  async open(
    url: string,
    init: RequestInit = {},
  ): Promise<{ url: string; status: number; text: string; headers: Headers }> {
    this.visited.push(url);
    if (url.startsWith(REDIRECT)) return { url, status: 0, text: '', headers: new Headers() };
    const { pathname } = new URL(url);
    const cookies = [...this.#cookies].filter(
      ([, { path }]) => pathname === path || pathname.startsWith(path.replace(/\/?$/, '/')),
    );
    const cookie = cookies.map(([key, { value }]) => `${key.split(' ')[0] ?? ''}=${value}`).join('; ');
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: { ...(init.headers as Record<string, string> | undefined), cookie, accept: 'text/html' },
    });
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    const location = response.headers.get('location');
    if (response.status >= 300 && response.status < 400 && location !== null) {
      return await this.open(new URL(location, url).href);
    }
    return { url, status: response.status, text: await response.text(), headers: response.headers };
  }

  /** Sends the form of a page: what stands in it, and what a person fills in. */
  async submit(page: { url: string; text: string }, fields: Readonly<Record<string, string | readonly string[]>>) {
    const action = /<form[^>]*action="([^"]+)"/.exec(page.text)?.[1] ?? '';
    const form = new URLSearchParams();
    const ticked = [...page.text.matchAll(/name="scope" value="([^"]+)" checked/g)].map(([, value = '']) => value);
    if (fields.scope === undefined) for (const each of ticked) form.append('scope', each.replaceAll('&amp;', '&'));
    for (const [name, value] of Object.entries(fields)) for (const each of [value].flat()) form.append(name, each);
    return await this.open(new URL(action, page.url).href, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
    });
  }

  #keep(line: string): void {
    const [, name = '', value = '', rest = ''] = /^([^=]+)=([^;]*)(.*)$/.exec(line) ?? [];
    const path = /; path=([^;]+)/i.exec(rest)?.[1] ?? '/';
    if (/expires=Thu, 01 Jan 1970/i.test(rest)) this.#cookies.delete(`${name} ${path}`);
    else this.#cookies.set(`${name} ${path}`, { value, path });
  }
}

/** One authorization request with its PKCE verifier. */
export interface Asked {
  readonly url: string;
  readonly verifier: string;
  readonly state: string;
}

/** An authorization request as SMART asks for it; `changes` spoil it, an empty text leaves a parameter out. */
export function authorizationRequest(
  { authorization_endpoint: at }: Endpoints,
  fhir: string,
  changes: Readonly<Record<string, string>>,
): Asked {
  const verifier = randomBytes(32).toString('base64url');
  const state = randomBytes(16).toString('base64url');
  const parameters = {
    ...{ response_type: 'code', client_id: 'chart', redirect_uri: REDIRECT, state, aud: fhir },
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...changes,
  };
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== ''));
  return { url: `${at}?${query.toString()}`, verifier, state };
}

/** Posts a form and reads JSON. */
export async function post(
  url: string,
  fields: Readonly<Record<string, string>>,
): Promise<{ status: number; body: TokenAnswer & Readonly<Record<string, unknown>> }> {
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(fields) });
  const text = await response.text();
  return {
    status: response.status,
    body: (text === '' ? {} : JSON.parse(text)) as TokenAnswer & Record<string, unknown>,
  };
}

/** What the app was sent back with. */
export function sentBack(url: string): URLSearchParams {
  return new URL(url).searchParams;
}

/** Exchanges a code. */
export function exchange(
  endpoints: Endpoints,
  code: string,
  verifier: string,
  changes: Readonly<Record<string, string>> = {},
) {
  const fields = {
    grant_type: 'authorization_code',
    code,
    redirect_uri: REDIRECT,
    client_id: 'chart',
    code_verifier: verifier,
  };
  return post(endpoints.token_endpoint, { ...fields, ...changes });
}

/** Who signs in, and what they fill in. */
export interface Person {
  readonly user: string;
  readonly password: string;
  readonly fields?: Readonly<Record<string, string | readonly string[]>>;
}

/** Signs in and allows; resolves with where the app was sent back to, or the page it ended at. */
export async function signIn(asked: Asked, { user, password, fields = {} }: Person, browser = new Browser()) {
  const login = await browser.open(asked.url);
  const consent = await browser.submit(login, { user, password });
  return await browser.submit(consent, { decision: 'allow', ...fields });
}
