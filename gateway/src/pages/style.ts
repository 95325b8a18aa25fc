/** The one stylesheet: readable on a phone, in the dark, and without colour alone carrying a meaning. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ink: #16222a; --quiet: #51626b; --paper: #f6f8f8; --card: #ffffff; --line: #d5dedd;
  --accent: #0a5f57; --soft: #e6efed; --good: #14653a; --warn: #7a4b00; --warn-soft: #fbf1dc; --bad: #a3201d;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e4ecea; --quiet: #a3b3b5; --paper: #10171a; --card: #172024; --line: #2f3d43;
    --accent: #79d3c6; --soft: #1e2c2f; --good: #7fd6a2; --warn: #f0c778; --warn-soft: #2d2617; --bad: #ff9c92;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; color: var(--ink); background: var(--paper); font: 1rem/1.55 system-ui, -apple-system, 'Segoe UI', sans-serif; }
a { color: var(--accent); text-underline-offset: 0.15em; }
a:focus-visible, button:focus-visible, input:focus-visible, pre:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 0.5rem; top: 0.5rem; background: var(--card); padding: 0.5rem; z-index: 1; }
.bar { background: var(--card); border-bottom: 1px solid var(--line); }
.bar > div, main, footer { max-width: 62rem; margin: 0 auto; padding: 0 1.25rem; }
.bar > div { display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; align-items: center; min-height: 3.5rem; padding-block: 0.5rem; }
.brand { display: flex; align-items: center; gap: 0.6rem; font-weight: 600; margin-right: auto; color: inherit; text-decoration: none; }
.brand img { display: block; }
.brand span { color: var(--quiet); font-weight: 400; }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem; list-style: none; margin: 0; padding: 0; }
nav a { display: block; padding: 0.4rem 0.7rem; border-radius: 0.4rem; text-decoration: none; }
nav a:hover { background: var(--soft); }
nav a[aria-current] { background: var(--soft); font-weight: 600; }
main { padding-block: 1.75rem 2.5rem; }
h1 { font-size: 1.75rem; line-height: 1.2; letter-spacing: -0.01em; margin: 0 0 0.5rem; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 2.25rem 0 0.75rem; }
h3 { font-size: 1rem; margin: 0; }
p { margin: 0.5rem 0; max-width: 46rem; }
.lead { font-size: 1.08rem; color: var(--quiet); }
.muted { color: var(--quiet); font-size: 0.9rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 0.6rem; padding: 1rem 1.15rem; }
.notice { background: var(--warn-soft); border: 1px solid var(--warn); border-radius: 0.6rem; padding: 0.75rem 1.15rem; margin: 1rem 0; }
.notice p { margin: 0; max-width: none; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: 0.9rem 1.5rem; margin: 0; }
.facts > div { min-width: 0; }
.facts.wide { grid-template-columns: 1fr; }
dt { font-size: 0.85rem; color: var(--quiet); }
dd { margin: 0; overflow-wrap: anywhere; }
.chips { display: inline-flex; flex-wrap: wrap; gap: 0.3rem; list-style: none; margin: 0; padding: 0; vertical-align: middle; }
.chip { background: var(--soft); border-radius: 1rem; padding: 0.05rem 0.6rem; font-size: 0.85rem; white-space: nowrap; }
.good, .bad, .wait { white-space: nowrap; }
.bad, .wait { font-weight: 600; }
.good { color: var(--good); }
.good::before { content: '\\2713\\00a0'; }
.bad { color: var(--bad); }
.bad::before { content: '\\2717\\00a0'; }
.wait { color: var(--warn); }
code { font-family: ui-monospace, 'SF Mono', Menlo, Consolas, monospace; font-size: 0.88em; overflow-wrap: anywhere; }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: 0.5rem; padding: 0.8rem 1rem; margin: 0.5rem 0; overflow-x: auto; }
pre code { overflow-wrap: normal; }
.steps { padding-left: 1.4rem; margin: 0; display: grid; gap: 1.25rem; }
.steps > li { min-width: 0; }
.steps > li::marker { color: var(--accent); font-weight: 700; }
button { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--quiet); border-radius: 0.4rem; padding: 0.35rem 0.9rem; cursor: pointer; }
button:hover { background: var(--soft); }
.find { margin: 1.25rem 0; max-width: 46rem; }
.find label { font-size: 0.85rem; color: var(--quiet); }
.find div { display: flex; gap: 0.5rem; margin-top: 0.2rem; }
.find input { flex: 1; min-width: 0; font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--quiet); border-radius: 0.4rem; padding: 0.35rem 0.6rem; }
.command { position: relative; }
.command button { position: absolute; top: 0.4rem; right: 0.4rem; font-size: 0.85rem; padding: 0.15rem 0.6rem; }
.command button + pre, .command pre:has(+ button) { padding-right: 5rem; }
.members { list-style: none; margin: 0; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr)); gap: 0.75rem; }
.members p { margin: 0.2rem 0 0; }
.blocks { list-style: none; margin: 0; padding: 0; display: grid; gap: 0.75rem; }
.head { display: flex; flex-wrap: wrap; gap: 0.15rem 1rem; align-items: baseline; }
.head .muted { margin: 0 0 0 auto; }
.transactions { list-style: none; margin: 0.6rem 0 0; padding: 0; }
.transactions > li { border-top: 1px solid var(--line); padding: 0.5rem 0; display: flex; flex-wrap: wrap; gap: 0.2rem 0.9rem; align-items: baseline; }
.transactions > li:last-child { padding-bottom: 0; }
.transactions a, .transactions b { font-weight: 600; }
.push { margin-left: auto; }
.between { display: flex; justify-content: space-between; gap: 1rem; margin: 1.25rem 0 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.95rem; }
th, td { text-align: left; padding: 0.45rem 1rem 0.45rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--quiet); font-size: 0.85rem; font-weight: 400; white-space: nowrap; }
.transaction { margin-top: 0.75rem; }
.transaction > * + * { margin-top: 0.9rem; }
.transaction h2 { margin: 0; }
footer { padding-block: 0 2.5rem; }
.ask p { margin: 0.75rem 0; }
.ask label { display: block; font-size: 0.85rem; color: var(--quiet); }
.ask input { width: 100%; max-width: 28rem; font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--quiet); border-radius: 0.4rem; padding: 0.35rem 0.6rem; }
.verdict { border: 3px solid currentColor; border-radius: 0.6rem; background: var(--card); padding: 0.9rem 1.1rem; margin: 1rem 0; }
.verdict h2 { margin: 0 0 0.3rem; font-size: 1.4rem; }
.verdict p { color: var(--ink); margin: 0.2rem 0; }
.verdict.tone-good { color: var(--good); }
.verdict.tone-warn { color: var(--warn); background: var(--warn-soft); }
.verdict.tone-bad { color: var(--bad); }
.deeds { display: flex; flex-wrap: wrap; gap: 0.6rem; }
.deeds button { flex: 1 1 6rem; min-height: 3rem; font-weight: 600; }
@media print {
  .bar, .between, .skip { display: none; }
  body { background: none; color: black; }
  thead { display: table-header-group; }
  tr { break-inside: avoid; }
}
@media (max-width: 34rem) {
  .head .muted, .push { margin-left: 0; }
  .stack thead { position: absolute; left: -100vw; }
  .stack, .stack tbody, .stack tr, .stack td { display: block; }
  .stack td { border: 0; padding: 0.1rem 0; }
  .stack tr { border-bottom: 1px solid var(--line); padding: 0.5rem 0; }
}
`;

/** A mark for tabs and the header: three sheets of which each member holds one. */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" width="28" height="28" viewBox="0 0 28 28"><rect width="28" height="28" rx="7" fill="#0a5f57"/><path d="M7 9.5h14M7 14h14M7 18.5h14" stroke="#fff" stroke-width="2.4" stroke-linecap="round"/><circle cx="10.5" cy="9.5" r="2.3" fill="#9fe3d8"/><circle cx="17.5" cy="14" r="2.3" fill="#9fe3d8"/><circle cx="10.5" cy="18.5" r="2.3" fill="#9fe3d8"/></svg>`;
