/** What every page has around it. */
import { html, type Html } from './html.js';

/** Who the page is of. */
export interface PageOwner {
  readonly member: string;
  readonly title: string;
  readonly channel: string;
}

/** A whole document. `scripts` are paths of ES modules on this server. */
export function page(owner: PageOwner, title: string, body: Html, scripts: readonly string[] = []): string {
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} · ${owner.title}</title>
        <link rel="stylesheet" href="/assets/style.css" />
        ${scripts.map((path) => html`<script type="module" src="${path}"></script>`)}
      </head>
      <body>
        <a class="skip" href="#content">Skip to content</a>
        <header>
          <strong>Salus · ${owner.title}</strong>
          <nav aria-label="Pages"><a href="/">Start</a><a href="/ledger">Ledger</a></nav>
        </header>
        <main id="content">${body}</main>
        <footer class="muted">
          Gateway of ${owner.member} on channel ${owner.channel}. Shown here: what every member may know.
        </footer>
      </body>
    </html> `;
  return document.text;
}
