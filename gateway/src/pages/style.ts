/** The one stylesheet: readable on a phone, in the dark, and without colour alone carrying a meaning. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #17222b; --paper: #fbfcfb; --line: #cfd8d6; --accent: #0b6158; --soft: #eef3f1; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edea; --paper: #131a1c; --line: #36434a; --accent: #6fd0c2; --soft: #1c2629; }
}
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: var(--paper); font: 1rem/1.5 system-ui, sans-serif; }
a { color: var(--accent); }
a:focus-visible, summary:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 0.5rem; top: 0.5rem; background: var(--paper); padding: 0.5rem; }
header, main, footer { max-width: 60rem; margin: 0 auto; padding: 0.75rem 1rem; }
header { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; align-items: baseline; border-bottom: 1px solid var(--line); }
header strong { font-size: 1.15rem; }
nav { display: flex; gap: 1rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 1rem 0 0.5rem; }
h2 { font-size: 1.15rem; margin: 1.5rem 0 0.5rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1rem; }
dt { font-weight: 600; }
dd { margin: 0; overflow-wrap: anywhere; }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: 0.4rem; padding: 0.75rem; overflow-x: auto; font-size: 0.9rem; }
code { font-family: ui-monospace, monospace; font-size: 0.92em; overflow-wrap: anywhere; }
ol.blocks { list-style: none; padding: 0; display: grid; gap: 0.75rem; }
ol.blocks > li { border: 1px solid var(--line); border-radius: 0.4rem; padding: 0.6rem 0.8rem; }
ol.blocks h3 { margin: 0; font-size: 1rem; }
ol.blocks p { margin: 0.15rem 0; overflow-wrap: anywhere; }
ul.transactions { margin: 0.3rem 0 0; padding-left: 1.1rem; }
ul.transactions li { overflow-wrap: anywhere; }
.muted { opacity: 0.75; font-size: 0.9rem; }
.bad { font-weight: 700; text-decoration: underline; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 0.35rem 0.5rem; border-bottom: 1px solid var(--line); vertical-align: top; }
footer { border-top: 1px solid var(--line); margin-top: 2rem; }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: 0.4rem; } }
`;

/** The icon: linked blocks. */
export const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#0b6158"/>' +
  '<path d="M3 5h4v6H3zM9 5h4v6H9zM7 8h2" fill="none" stroke="#fff" stroke-width="1.5"/></svg>';
