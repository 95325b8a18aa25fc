/** The landing page: who this member is, what runs, and what to try. */
import type { FaultCounts } from '../projection/faults.js';
import type { GatewaySettings, MemberSettings } from '../settings.js';
import { html, type Html } from './html.js';
import { chips, fact, page } from './layout.js';

/** How the gateway stands at the moment. */
export interface Standing extends FaultCounts {
  readonly ready: boolean;
  /** Blocks the projection has applied. */
  readonly height: number;
  /** Blocks the channel is known to have. */
  readonly channelHeight: number;
  /** Private values of applied blocks that the peer has not delivered. */
  readonly awaited: number;
  /** Versions whose content beside the ledger is missing. */
  readonly lost: number;
}

/** The page under `/`. */
export function landingPage(settings: GatewaySettings, standing: Standing): string {
  const owner = { member: settings.member, title: settings.title, channel: settings.channel };
  const body = html` <h1>${settings.title}</h1>
    <p class="lead">
      One member of a health consortium that nobody owns. It keeps its own records; what the members agreed on lies on a
      ledger that each of them holds and none of them can change unseen.
    </p>
    ${runs(settings)}
    <dl class="facts card">
      ${fact('Member', html`${settings.member} <span class="muted">(${settings.mspId})</span>`)}
      ${fact('Roles', chips(settings.roles))} ${fact('State', state(standing))}
      ${fact('Channel', html`${settings.channel}`)} ${fact('Address', html`${settings.baseUrl}`)}
      ${fact('FHIR R4', html`<a href="/fhir/R4/metadata">/fhir/R4</a>`)}
      ${fact('Ledger', html`<a href="/ledger">/ledger</a>`)} ${fact('Readiness', html`<a href="/readyz">/readyz</a>`)}
      ${fact('Metrics', html`<a href="/metrics">/metrics</a>`)}
    </dl>
    ${toTry(settings)}
    <h2>The consortium</h2>
    <ul class="members">
      ${settings.members.map((member) => memberCard(member, member.name === settings.member))}
    </ul>`;
  return page(owner, { title: 'Start', body, under: '/' });
}

const ENGINES: Readonly<Record<string, Html>> = {
  embedded: html`<div class="notice" role="note">
    <p>
      <strong>Development only.</strong> The embedded ledger runs here: one process plays every member’s peer and the
      orderer. It speaks Fabric’s protocols, but has no consensus, no fault tolerance and one operator.
    </p>
  </div>`,
  fabric: html`<p>Runs on <strong>Hyperledger Fabric</strong>, ordered by Raft.</p>`,
};

function runs({ engine, production }: GatewaySettings): Html {
  const known = ENGINES[engine ?? ''] ?? html``;
  return production || engine === 'embedded'
    ? known
    : html`${known}
        <p class="muted">Not marked as production: tokens of the built-in development issuer are accepted.</p>`;
}

function state({ ready, height, channelHeight, unreadable, unindexed, lost }: Standing): Html {
  const word = ready ? html`<span class="good">ready</span>` : html`<span class="wait">catching up</span>`;
  const faults = unreadable + unindexed;
  const told = faults === 0 ? html`` : html`, ${faults} stored values not indexed whole`;
  const missing = lost === 0 ? html`` : html`, content of ${lost} versions is lost`;
  return html`<span id="state">${word}, ${height} of ${channelHeight} blocks applied${told}${missing}</span>`;
}

function toTry({ member, baseUrl, roles }: GatewaySettings): Html {
  const isHospital = roles.includes('hospital');
  const [user, role] = isHospital ? ['dr-adams', 'physician'] : ['auditor-1', 'auditor'];
  const token = `TOKEN=$(npm run --silent salus -- token --member ${member} --user ${user} --role ${role})`;
  const write = `curl -si ${baseUrl}/fhir/R4/Patient -H "Authorization: Bearer $TOKEN" \\
  -H 'Content-Type: application/fhir+json' \\
  -d '{"resourceType":"Patient","birthDate":"1971-03-14"}'`;
  const ask = `curl -s '${baseUrl}/fhir/R4/Patient?_count=5' -H "Authorization: Bearer $TOKEN"`;
  return html`<h2>What to try</h2>
    <ol class="steps">
      <li>Get a token of the built-in development issuer, in the project’s folder: ${command(token)}</li>
      ${
        isHospital
          ? html`<li>
              Write a resource. The answer names its transaction (<code>X-Tx-Id</code>) and block
              (<code>X-Block</code>): ${command(write)}
            </li>`
          : html``
      }
      <li>Search what this member holds and your role may see: ${command(ask)}</li>
      <li>
        Open the <a href="/ledger">ledger</a>, here and at any other member: the blocks are the same, and the content is
        in none of them.
      </li>
    </ol>`;
}

function command(text: string): Html {
  return html`<div class="command">
    <pre tabindex="0" role="group" aria-label="Command"><code>${text}</code></pre>
  </div>`;
}

function memberCard(member: MemberSettings, isThis: boolean): Html {
  return html`<li class="card">
    <h3>${isThis ? html`${member.title}` : html`<a href="${member.baseUrl}/">${member.title}</a>`}</h3>
    <p class="muted">${isThis ? 'This member' : member.baseUrl}</p>
    <p>${chips(member.roles)}</p>
  </li>`;
}
