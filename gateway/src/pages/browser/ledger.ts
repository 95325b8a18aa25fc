/// <reference lib="dom" />
/** In the browser: puts each new block on top of the list as it is committed. */

/** Blocks kept on the page. */
const MOST = 200;

const list = document.querySelector<HTMLOListElement>('#blocks');
const live = document.querySelector('#live');
const newest = document.querySelector<HTMLElement>('[data-block]')?.dataset.block ?? '0';
const source = new EventSource(`/ledger/events?after=${newest}`);

source.addEventListener('block', (event) => {
  const { number, html } = JSON.parse(event.data as string) as { number: number; html: string };
  if (list === null || list.querySelector(`[data-block="${number}"]`) !== null) return;
  // The server escapes every value; the document's policy lets no script in whatever comes.
  list.insertAdjacentHTML('afterbegin', html);
  while (list.children.length > MOST) list.lastElementChild?.remove();
  document.querySelector('#empty')?.remove();
  document.dispatchEvent(new Event('salus:blocks'));
  tell(`Live. Newest block: ${number}.`);
});

source.addEventListener('open', () => {
  const newest = list?.firstElementChild?.getAttribute('data-block');
  tell(newest == null ? 'Live. No block yet.' : `Live. Newest block: ${newest}.`);
});

source.addEventListener('error', () => {
  tell('The connection was lost; trying again. What is shown may be old.');
});

function tell(text: string): void {
  if (live !== null) live.textContent = text;
}

export {};
