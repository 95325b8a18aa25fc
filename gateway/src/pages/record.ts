/**
 * `/record`: who read a patient's record, when, why, what of it and on which consent, for people; and the accounting of
 * disclosures of 45 CFR 164.528, to be printed. The list is `AuditEvent?patient=`, asked as whoever brings the token.
 */
import { accountOf, YEARS, type Line } from '../access/account.js';
import { outcomeOf } from '../fhir/outcome.js';
import type { FhirResponse } from '../fhir/request.js';
import { html, type Html } from './html.js';
import { page, time, type PageOwner } from './layout.js';

/** Path of the page. */
const RECORD_PATH = '/record';
/** Lines that a page of the list shows, and at which an accounting is continued on another; older ones are a button away. */
export const MOST_LINES = 500;

/** Bytes of the form that are read: a token is at most half of it. */
export const FORM_LIMIT = 32_768;

/** What the form on the page says. */
interface RecordForm {
  readonly token: string;
  readonly patient: string;
  /** `list` what everybody did, `accounting` the disclosures alone. */
  readonly view: 'list' | 'accounting';
  /** Where the page before ended. */
  readonly cursor?: string;
}

/** Answers `AuditEvent?patient=` to whoever the token stands for. Throws Refusal. */
export type AskList = (token: string, query: URLSearchParams) => Promise<FhirResponse>;

interface RecordPagePorts {
  readonly owner: PageOwner;
  /** A member's name as people know it. */
  readonly titleOf: (member: string) => string;
  readonly ask: AskList;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The page before anybody said who asks, with what went wrong where something did. */
export function recordFormPage(owner: PageOwner, problem?: string): string {
  const body = html`<h1>Who read my record</h1>
    <p class="lead">
      Every look at your record here, and every request another organisation made for it: who, when, why, what kind of
      data, and on which consent.
    </p>
    ${problem === undefined ? html`` : html`<div class="notice" role="alert"><p>${problem}</p></div>`}
    <form class="ask card" action="${RECORD_PATH}" method="post">
      <p>
        <label for="patient">Your record number here</label>
        <input id="patient" name="patient" required maxlength="64" autocomplete="off" spellcheck="false" />
      </p>
      <p>
        <label for="token">Your access token</label>
        <input id="token" name="token" type="password" required autocomplete="off" />
      </p>
      <p class="muted">Your hospital's sign-in gives you both. They are sent to this gateway alone and kept nowhere.</p>
      <p>
        <button name="view" value="list">Show who read it</button>
        <button name="view" value="accounting">Accounting of disclosures</button>
      </p>
    </form>`;
  return page(owner, { title: 'Who read my record', body, under: RECORD_PATH });
}

/** The answer to the form: the page for whoever its token stands for, or the form again with what was wrong. */
export async function answerRecord(
  ports: RecordPagePorts,
  sent: Readonly<Record<string, unknown>>,
): Promise<{ readonly status: number; readonly text: string }> {
  const given = (name: string): string => (typeof sent[name] === 'string' ? sent[name].trim() : '');
  const view = given('view') === 'accounting' ? 'accounting' : 'list';
  const cursor = given('cursor') === '' ? {} : { cursor: given('cursor') };
  try {
    return await recordPage(ports, { token: given('token'), patient: given('patient'), view, ...cursor });
  } catch (error) {
    const { status, resource } = outcomeOf(error);
    return { status, text: recordFormPage(ports.owner, diagnosticsOf(resource)) };
  }
}

/** What an OperationOutcome says to people. */
export function diagnosticsOf(resource: unknown): string {
  const { issue } = resource as { issue?: readonly { diagnostics?: string }[] };
  return issue?.[0]?.diagnostics ?? 'That did not work.';
}

async function recordPage(ports: RecordPagePorts, form: RecordForm): Promise<{ status: number; text: string }> {
  const isList = form.view === 'list';
  let lines: readonly Line[] = [];
  let cursor = form.cursor;
  // Disclosures may lie far apart between the custodian's own looks.
  do {
    const { status, resource } = await ports.ask(form.token, queryOf(form.patient, cursor));
    if (status >= 400) return { status, text: recordFormPage(ports.owner, diagnosticsOf(resource)) };
    const account = accountOf(resource, ports);
    lines = [...lines, ...account.lines.filter(({ disclosure }) => isList || disclosure !== undefined)];
    cursor = account.next;
  } while (!isList && cursor !== undefined && lines.length < MOST_LINES);
  const body = isList ? listBody(lines) : accountingBody(ports, form, lines);
  const title = isList ? 'Who read my record' : 'Accounting of disclosures';
  const text = page(ports.owner, { title, body: html`${body} ${further(form, cursor)}`, under: RECORD_PATH });
  return { status: 200, text };
}

function queryOf(patient: string, cursor: string | undefined): URLSearchParams {
  const query = new URLSearchParams({ patient, _count: String(MOST_LINES) });
  if (cursor !== undefined) query.set('_cursor', cursor);
  return query;
}

function listBody(lines: readonly Line[]): Html {
  if (lines.length === 0)
    return html`<h1>Who read my record</h1>
      ${nothing('Nobody has asked for this record, or it is not kept here under this number.')}`;
  return html`<h1>Who read my record</h1>
    <p class="lead">Newest first. What another organisation was given before you withdrew a consent stays with it.</p>
    <div class="scroll">
      <table class="stack">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Who</th>
            <th scope="col">Why</th>
            <th scope="col">What</th>
            <th scope="col">Outcome</th>
          </tr>
        </thead>
        <tbody>
          ${lines.map(listRow)}
        </tbody>
      </table>
    </div>`;
}

function listRow(line: Line): Html {
  return html`<tr>
    <td>${time(line.at)}</td>
    <td>${line.person}<br /><span class="muted">${line.organisation}</span></td>
    <td>${line.why}</td>
    <td>${line.what}</td>
    <td>
      ${line.permitted ? html`<span class="good">allowed</span>` : html`<span class="bad">refused</span>`}
      <br /><span class="muted">${line.basis}</span>
    </td>
  </tr>`;
}

function accountingBody({ owner, now }: RecordPagePorts, { patient }: RecordForm, lines: readonly Line[]): Html {
  return html`<h1>Accounting of disclosures</h1>
    <p class="lead">
      ${owner.title}, record ${patient}, under 45 CFR 164.528: disclosures to other organisations in the ${YEARS} years
      before ${time(new Date(now()).toISOString())}.
    </p>
    <p class="muted">
      Those marked * the rule does not ask for (treatment, payment, health care operations, or your own request); they
      are listed all the same. Print this page with your browser.
    </p>
    ${lines.length === 0 ? nothing('Nothing was disclosed to another organisation in this time.') : html``}
    <div class="scroll">
      <table class="stack">
        <thead>
          <tr>
            <th scope="col">Date</th>
            <th scope="col">Recipient</th>
            <th scope="col">What was disclosed</th>
            <th scope="col">Purpose</th>
          </tr>
        </thead>
        <tbody>
          ${lines.map(accountingRow)}
        </tbody>
      </table>
    </div>`;
}

function accountingRow(line: Line): Html {
  return html`<tr>
    <td>${time(line.at)}</td>
    <td>${line.organisation}<br /><span class="muted">${line.address}</span><br />${line.person}</td>
    <td>${line.what}</td>
    <td>${line.why}${line.disclosure === 'exempt' ? ' *' : ''}<br /><span class="muted">${line.basis}</span></td>
  </tr>`;
}

function nothing(text: string): Html {
  return html`<p class="card">${text}</p>`;
}

/** The next page, by the same form: the token stands in no address. */
function further({ token, patient, view }: RecordForm, next: string | undefined): Html {
  if (next === undefined) return html``;
  return html`<form class="between" action="${RECORD_PATH}" method="post">
    <input type="hidden" name="token" value="${token}" />
    <input type="hidden" name="patient" value="${patient}" />
    <input type="hidden" name="view" value="${view}" />
    <input type="hidden" name="cursor" value="${next}" />
    <button>Older</button>
  </form>`;
}
