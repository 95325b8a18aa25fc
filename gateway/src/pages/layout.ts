/** What every page has around it, and the small pieces that several pages show. */
import { html, type Html } from './html.js';

/** Who the page is of. */
export interface PageOwner {
  readonly member: string;
  readonly title: string;
  readonly channel: string;
}

/** What a page holds. */
export interface PageContent {
  readonly title: string;
  readonly body: Html;
  /** Path of the entry in the navigation that the page belongs to. */
  readonly under: '/' | '/ledger' | '/record' | '/scan' | '/auth';
  /** Paths of further ES modules on this server; where people sign in no script runs at all. */
  readonly scripts?: readonly string[];
}

/** Path of the script that every page has, compiled from browser/page.ts. */
export const PAGE_SCRIPT = '/assets/page.js';

const NAVIGATION = [
  { path: '/', name: 'Start' },
  { path: '/record', name: 'My record' },
  { path: '/scan', name: 'Scan' },
  { path: '/ledger', name: 'Ledger' },
  { path: '/fhir/R4/metadata', name: 'FHIR' },
] as const;

const ALL_MAY_KNOW = 'Pages show what every member may know: no content of any record.';
const FOOTERS: Readonly<Partial<Record<PageContent['under'], string>>> = {
  '/scan': 'This page says how one pack stands, to whoever handles packs: nothing of any patient.',
  '/record': 'This page says who asked for one record, to whoever may know: no content of it.',
  '/auth': 'For development: in production people sign in at the member’s own OpenID provider.',
};

/** A whole document. */
export function page(owner: PageOwner, { title, body, under, scripts = [] }: PageContent): string {
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} · ${owner.title}</title>
        <link rel="icon" href="/assets/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/assets/style.css" />
        ${(under === '/auth' ? [] : [PAGE_SCRIPT, ...scripts]).map((path) => html`<script type="module" src="${path}"></script>`)}
      </head>
      <body>
        <a class="skip" href="#content">Skip to content</a>
        <header class="bar">
          <div>
            <a class="brand" href="/"
              ><img src="/assets/icon.svg" alt="" width="28" height="28" />Salus <span>${owner.title}</span></a
            >
            <nav aria-label="Pages">
              <ul>
                ${NAVIGATION.map(({ path, name }) => navigationItem(path, name, path === under))}
              </ul>
            </nav>
          </div>
        </header>
        <main id="content" tabindex="-1">${body}</main>
        <footer class="muted">
          Gateway of ${owner.member} on channel ${owner.channel}. ${FOOTERS[under] ?? ALL_MAY_KNOW}
        </footer>
      </body>
    </html> `;
  return document.text;
}

function navigationItem(path: string, name: string, isCurrent: boolean): Html {
  return isCurrent
    ? html`<li><a href="${path}" aria-current="page">${name}</a></li>`
    : html`<li><a href="${path}">${name}</a></li>`;
}

/** A page that says why there is nothing else to show, and where to go. */
export function messagePage(owner: PageOwner, title: string, text: string): string {
  const body = html`<h1>${title}</h1>
    <p class="lead">${text}</p>
    <p><a href="/ledger">Newest blocks</a> or <a href="/">start</a></p>`;
  return page(owner, { title, body, under: '/ledger' });
}

/** Characters shown of a long hexadecimal value in a list. */
const SHORT = 12;

/** The first characters of a long value; the whole one is its title. */
export function short(value: string): Html {
  return value.length <= SHORT
    ? html`<code>${value}</code>`
    : html`<code title="${value}">${value.slice(0, SHORT)}…</code>`;
}

/** A FHIR instant as people read it, in UTC; the page's script adds how long ago that is. */
export function time(instant: string): Html {
  const written = new Date(instant);
  if (Number.isNaN(written.getTime())) return html`${instant}`;
  const text = `${written.toISOString().slice(0, 10)} ${written.toISOString().slice(11, 19)} UTC`;
  return html`<time datetime="${instant}">${text}</time>`;
}

/** Short words side by side. */
export function chips(words: readonly string[]): Html {
  return html`<ul class="chips">
    ${words.map((word) => html`<li class="chip">${word}</li>`)}
  </ul>`;
}

/** One name and its value in a list of facts. */
export function fact(name: string, value: Html): Html {
  return html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>`;
}
