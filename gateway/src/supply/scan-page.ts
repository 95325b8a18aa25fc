/** `/scan`: a page for the phone or the hand scanner at the counter. The answer stands in words first, in colour too. */
import { html, type Html } from '../pages/html.js';
import { page, type PageOwner } from '../pages/layout.js';
import { packOf } from './packs/identity.js';
import type { Verdict } from './packs/verdict.js';
import { SCAN_DEEDS, type ScanAnswer, type ScanDeed } from './scan.js';

/** Path of the page. */
export const SCAN_PATH = '/scan';

const NAMES: Readonly<Record<ScanDeed, string>> = { verify: 'Verify', receive: 'Receive', dispense: 'Dispense' };
const DONE: Readonly<Record<string, string>> = { receive: 'Received', dispense: 'Dispensed' };

/** What is said of a scan: how it is meant, the words, and what to do. */
interface Said {
  readonly tone: 'good' | 'warn' | 'bad';
  readonly words: string;
  readonly more: readonly string[];
}

/** What the form is filled with again: a counter scans one pack after the other. */
export interface ScanForm {
  readonly token?: string;
  readonly place?: string;
}

/** The page with its form, and above it the answer to the last scan or what was wrong with it. */
export function scanPage(owner: PageOwner, form: ScanForm, answer?: ScanAnswer | { readonly problem: string }): string {
  const said = answer === undefined ? html`` : shown(answer);
  const body = html`<h1>Scan a pack</h1>
    ${said}
    <form class="ask card" action="${SCAN_PATH}" method="post">
      <p>
        <label for="code">Code on the pack</label>
        <input id="code" name="code" required autofocus maxlength="400" autocomplete="off" spellcheck="false" />
      </p>
      <p class="deeds">
        ${SCAN_DEEDS.map((deed) => html`<button name="deed" value="${deed}">${NAMES[deed]}</button>`)}
      </p>
      <p>
        <label for="place">Where (GLN of the counter)</label>
        <input id="place" name="place" maxlength="200" autocomplete="off" value="${form.place ?? ''}" />
      </p>
      <p>
        <label for="token">Your access token</label>
        <input id="token" name="token" type="password" required autocomplete="off" value="${form.token ?? ''}" />
      </p>
      <p class="muted">A hand scanner types the code and presses Enter: that verifies. The token is kept nowhere.</p>
    </form>`;
  return page(owner, { title: 'Scan a pack', body, under: SCAN_PATH });
}

function shown(answer: ScanAnswer | { readonly problem: string }): Html {
  const said: Said = 'problem' in answer ? { tone: 'warn', words: answer.problem, more: [] } : saidOf(answer);
  return html`<section class="verdict tone-${said.tone}" role="status" aria-live="assertive">
    <h2>${MARKS[said.tone]} ${said.words}</h2>
    ${said.more.map((each) => html`<p>${each}</p>`)}
  </section>`;
}

/** Colour alone carries no meaning. */
const MARKS = { good: '✓', warn: '!', bad: '✕' } as const;

function saidOf(answer: ScanAnswer): Said {
  const { done, verdict } = answer;
  if (done === undefined) return verified(answer);
  const standing = verdict === undefined ? [] : [`Now ${verdict.where}, ${verdict.whose}.`];
  if (done.state === 'done')
    return { tone: 'good', words: `${DONE[done.act] ?? 'Done'}.`, more: [nameOf(answer), ...standing] };
  if (done.state === 'unknown') {
    return {
      tone: 'warn',
      words: 'It is not known yet whether that took effect: scan it again.',
      more: [nameOf(answer)],
    };
  }
  const alert = done.alert === undefined ? [] : [`An alert was raised: ${done.alert}. Keep the pack apart.`];
  return {
    tone: 'bad',
    words: `Refused: ${done.detail ?? done.code ?? ''}.`,
    more: [nameOf(answer), ...alert, ...standing],
  };
}

function verified(answer: ScanAnswer): Said {
  const { verdict } = answer;
  if (verdict?.verified !== true) {
    return {
      tone: 'bad',
      words: 'Not genuine as it is printed: keep it apart.',
      more: [nameOf(answer), verdict?.verificationFailureReason ?? ''],
    };
  }
  const standing = `${nameOf(answer)} ${verdict.whose}, ${verdict.where}. ${verdict.emvsCode}`;
  if (verdict.dispensable) return { tone: 'good', words: 'Genuine. It may be dispensed.', more: [standing] };
  return withheld(verdict, standing);
}

function withheld({ additionalInfo, where, because = '' }: Verdict, standing: string): Said {
  const isStopped = additionalInfo !== undefined || where === 'dispensed' || where === 'decommissioned';
  const words = isStopped ? `Do not dispense: ${because}.` : `Genuine. Not to be dispensed here: ${because}.`;
  return { tone: isStopped ? 'bad' : 'warn', words, more: [standing] };
}

function nameOf({ epc }: ScanAnswer): string {
  const pack = packOf(epc);
  return pack === undefined
    ? `Container ${epc.slice(epc.lastIndexOf('/') + 1)}.`
    : `GTIN ${pack.gtin}, serial ${pack.serial}.`;
}
