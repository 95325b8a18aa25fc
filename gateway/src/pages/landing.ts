/** The landing page: who this member is, what runs, and what to try. */
import type { GatewaySettings } from '../settings.js';
import { html } from './html.js';
import { page } from './layout.js';

/** How the gateway stands at the moment. */
export interface Standing {
  readonly ready: boolean;
  /** Blocks the projection has applied. */
  readonly height: number;
  /** Blocks the channel is known to have. */
  readonly channelHeight: number;
}

/** The page under `/`. */
export function landingPage(settings: GatewaySettings, standing: Standing): string {
  const owner = { member: settings.member, title: settings.title, channel: settings.channel };
  const token = `TOKEN=$(npm run --silent salus -- token --member ${settings.member} --user dr-adams --role physician)`;
  const ask = `curl -H "Authorization: Bearer $TOKEN" '${settings.baseUrl}/fhir/R4/Patient?_count=5'`;
  const body = html` <h1>${settings.title}</h1>
    <p>
      One member of a health consortium that nobody owns. It keeps its own records; what the members agreed on is on a
      ledger that each of them holds and none of them can change unseen.
    </p>
    <dl>
      <dt>Member</dt>
      <dd>${settings.member} (${settings.mspId})</dd>
      <dt>Roles</dt>
      <dd>${settings.roles.join(', ')}</dd>
      <dt>State</dt>
      <dd id="state">
        ${standing.ready ? 'ready' : 'starting'}: ${standing.height} of ${standing.channelHeight} blocks applied
      </dd>
      <dt>FHIR R4</dt>
      <dd><a href="/fhir/R4/metadata">${settings.baseUrl}/fhir/R4</a></dd>
      <dt>Ledger</dt>
      <dd><a href="/ledger">${settings.baseUrl}/ledger</a></dd>
      <dt>Metrics</dt>
      <dd><a href="/metrics">${settings.baseUrl}/metrics</a></dd>
    </dl>
    <h2>What to try</h2>
    <p>Get a token of the built-in development issuer, then ask for patients:</p>
    <pre><code>${token}
${ask}</code></pre>
    <p>
      Each answer to a write names its transaction (<code>X-Tx-Id</code>) and block (<code>X-Block</code>): look both up
      on the <a href="/ledger">ledger page</a>, here and at any other member. The blocks are the same; the content is
      not in them.
    </p>
    <h2>The consortium</h2>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Member</th>
            <th scope="col">Roles</th>
            <th scope="col">Gateway</th>
          </tr>
        </thead>
        <tbody>
          ${settings.members.map(
            (member) =>
              html`<tr>
                <th scope="row">${member.title}</th>
                <td>${member.roles.join(', ')}</td>
                <td><a href="${member.baseUrl}/">${member.baseUrl}</a></td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  return page(owner, 'Start', body);
}
