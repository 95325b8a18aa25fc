/** The pages of the development authorization server: who are you, what may the app have. No script runs on them. */
import type { KoaContextWithOIDC } from 'oidc-provider';

import { html, type Html } from '../pages/html.js';
import { page, type PageOwner } from '../pages/layout.js';
import type { GatewaySettings } from '../settings.js';

/** What a page may load and where its form may lead: to the gateway and, from there, to the app that asked. */
export function signInPolicy(redirectUri?: string): string {
  const origin = redirectUri === undefined ? undefined : URL.parse(redirectUri)?.origin;
  return [
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self'",
    "base-uri 'none'",
    `form-action 'self'${origin === undefined ? '' : ` ${origin}`}`,
    "frame-ancestors 'none'",
  ].join('; ');
}

/** Who the pages are of. */
function ownerOf({ member, title, channel }: GatewaySettings): PageOwner {
  return { member, title, channel };
}

function document(settings: GatewaySettings, title: string, body: Html): string {
  return page(ownerOf(settings), { title, body, under: '/auth' });
}

function notice(problem: string | undefined): Html {
  return problem === undefined ? html`` : html`<div class="notice" role="alert"><p>${problem}</p></div>`;
}

/** Asks for name and password. */
export function loginPage(settings: GatewaySettings, action: string, appName: string, problem?: string): string {
  const body = html`<h1>Sign in</h1>
    <p class="lead">${appName} asks to work with records at ${settings.title}. First say who you are.</p>
    ${notice(problem)}
    <form class="ask card" action="${action}" method="post">
      <p>
        <label for="user">Name</label>
        <input id="user" name="user" required maxlength="64" autocomplete="username" spellcheck="false" />
      </p>
      <p>
        <label for="password">Password</label>
        <input id="password" name="password" type="password" required autocomplete="current-password" />
      </p>
      <p><button>Sign in</button></p>
    </form>
    <p class="muted">An administrator adds people with <code>npm run salus -- user</code>.</p>`;
  return document(settings, 'Sign in', body);
}

/** What a person is asked to allow. */
export interface ConsentQuestion {
  readonly action: string;
  readonly appName: string;
  readonly user: string;
  readonly role: string;
  /** Scopes that can be left out one by one. */
  readonly scopes: readonly string[];
  /** Whether the app may go on when nobody is there. */
  readonly isLasting: boolean;
  /** Whose record it is about, `asked` where that is to be said; absent where it is about no one patient. */
  readonly patient?: { readonly id: string } | 'asked';
}

/** Asks what the app may have, and of whom. */
export function consentPage(settings: GatewaySettings, question: ConsentQuestion, problem?: string): string {
  const { action, appName, user, role, scopes, isLasting } = question;
  const body = html`<h1>Let ${appName} in?</h1>
    <p class="lead">You are ${user}, ${role}. What your role and the patients’ consents deny you, they deny the app.</p>
    ${notice(problem)}
    <form class="ask card" action="${action}" method="post">
      ${patientField(question.patient)}
      <fieldset>
        <legend>It may</legend>
        ${scopes.map(scopeBox)}
      </fieldset>
      ${isLasting ? html`<p>It may go on for 90 days without asking you again.</p>` : html``}
      <p>
        <button name="decision" value="allow">Allow</button>
        <button name="decision" value="deny" formnovalidate>Do not</button>
      </p>
    </form>`;
  return document(settings, 'Let an app in', body);
}

function patientField(patient: ConsentQuestion['patient']): Html {
  if (patient === undefined) return html``;
  if (patient !== 'asked') return html`<p>For the patient with record number <code>${patient.id}</code>.</p>`;
  return html`<p>
    <label for="patient">For which patient? Record number here</label>
    <input id="patient" name="patient" required maxlength="64" autocomplete="off" spellcheck="false" />
  </p>`;
}

function scopeBox(scope: string): Html {
  return html`<label class="choice"
    ><input type="checkbox" name="scope" value="${scope}" checked /> ${meaning(scope)}</label
  >`;
}

const ACTIONS: Readonly<Record<string, string>> = {
  c: 'create',
  r: 'read',
  u: 'change',
  d: 'delete',
  s: 'search',
  read: 'read and search',
  write: 'create, change and delete',
  '*': 'read, search, create, change and delete',
};

/** A scope in words, and as it is. */
function meaning(scope: string): Html {
  const [, context, type = '', permissions = ''] = /^(patient|user)\/([^.]+)\.([^?]+)/.exec(scope) ?? [];
  const verbs = ACTIONS[permissions] ?? Array.from(permissions, (letter) => ACTIONS[letter] ?? letter).join(', ');
  const what = type === '*' ? 'everything' : type;
  const whose = context === 'patient' ? 'of this patient' : 'that you may see';
  return html`${verbs} ${what} ${whose} <code>${scope}</code>`;
}

/** Says why a sign-in ended here: nothing that came with it is shown but the protocol's own words. */
export function faultPage(settings: GatewaySettings, error: string, description?: string): string {
  const body = html`<h1>That did not work</h1>
    <p class="lead">${description ?? error}</p>
    <p class="muted">Error <code>${error}</code>. Go back to the app and try again.</p>`;
  return document(settings, 'That did not work', body);
}

/** The same as oidc-provider asks for it. */
export function renderFault(
  settings: GatewaySettings,
  ctx: KoaContextWithOIDC,
  error: string,
  description: string | undefined,
): void {
  ctx.set('Content-Security-Policy', signInPolicy());
  ctx.type = 'html';
  ctx.body = faultPage(settings, error, description);
}
