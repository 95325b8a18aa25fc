/** The ledger as people read it: newest blocks, one block, one transaction. */
import { codeName, readableKey, type InspectedBlock, type InspectedTransaction } from '../ledger/inspect.js';
import type { Signed } from '../ledger/trust.js';
import type { LedgerBlock, LedgerTransaction } from '../ports.js';
import { html, type Html } from './html.js';
import { page, type PageOwner } from './layout.js';

/** Path of the page's script, compiled from browser/ledger.ts. */
export const LEDGER_SCRIPT = '/assets/ledger.js';

/** The page under `/ledger`. */
export function ledgerPage(owner: PageOwner, blocks: readonly LedgerBlock[]): string {
  const body = html` <h1>Ledger</h1>
    <p>Every member holds these same blocks. Each names the hash of the one before; who endorsed signed.</p>
    <p id="live" class="muted" role="status" aria-live="polite">Newest block first.</p>
    <ol class="blocks" id="blocks" reversed>
      ${blocks.map((block) => blockItem(block))}
    </ol>
    <noscript><p>Reload for newer blocks: without script this page does not change by itself.</p></noscript>`;
  return page(owner, 'Ledger', body, [LEDGER_SCRIPT]);
}

/** One block in the list. */
export function blockItem(block: LedgerBlock): Html {
  return html`<li data-block="${block.number}">
    <h3><a href="/ledger/blocks/${block.number}">Block ${block.number}</a></h3>
    <p class="muted">
      hash <code>${block.hash.slice(0, 16)}…</code> after <code>${block.previousHash.slice(0, 16)}…</code>
    </p>
    <ul class="transactions">
      ${block.transactions.map(transactionItem)}
    </ul>
  </li>`;
}

function transactionItem(each: LedgerTransaction): Html {
  const name = each.transaction === '' ? 'configuration or lifecycle' : each.transaction;
  const endorsed = each.endorsers.length === 0 ? '' : `, endorsed by ${each.endorsers.join(', ')}`;
  return html`<li>${link(each.txId, name)} by ${each.creatorMspId}${endorsed}${verdict(each.code)}</li>`;
}

function link(txId: string, name: string): Html {
  return txId === '' ? html`${name}` : html`<a href="/ledger/transactions/${txId}">${name}</a>`;
}

function verdict(code: number): Html {
  return code === 0 ? html`, valid` : html`, <span class="bad">${codeName(code)}</span>`;
}

/** The page of one block, its hashes and signatures checked. */
export function blockPage(owner: PageOwner, block: InspectedBlock): string {
  const body = html` <h1>Block ${block.number}</h1>
    <dl>
      <dt>Hash</dt>
      <dd><code>${block.hash}</code></dd>
      <dt>Hash of the block before</dt>
      <dd><code>${block.previousHash}</code></dd>
      <dt>Hash of its data</dt>
      <dd><code>${block.dataHash}</code></dd>
      <dt>Commit hash</dt>
      <dd><code>${block.commitHash}</code></dd>
    </dl>
    <p>${before(block.number)}<a href="/ledger/blocks/${block.number + 1}">next</a></p>
    ${block.transactions.map(
      (each) =>
        html`<h2>Transaction ${each.index}</h2>
          ${transactionDetails(each)}`,
    )}`;
  return page(owner, `Block ${block.number}`, body);
}

function before(number: number): Html {
  return number === 0 ? html`` : html`<a href="/ledger/blocks/${number - 1}">previous</a> `;
}

/** The page of one transaction. */
export function transactionPage(owner: PageOwner, transaction: InspectedTransaction): string {
  const body = html`<h1>Transaction</h1>
    <p>In <a href="/ledger/blocks/${transaction.block}">block ${transaction.block}</a>, place ${transaction.index}.</p>
    ${transactionDetails(transaction)}`;
  return page(owner, 'Transaction', body);
}

function transactionDetails(each: InspectedTransaction): Html {
  return html`<dl>
      <dt>Id</dt>
      <dd><code>${each.txId}</code></dd>
      <dt>What</dt>
      <dd>${each.transaction === '' ? 'configuration or lifecycle' : each.transaction}</dd>
      <dt>Validation</dt>
      <dd>${each.validation}</dd>
      <dt>Time claimed</dt>
      <dd>${each.timestamp}</dd>
      <dt>Created by</dt>
      <dd>${signer(each.creator)}</dd>
      <dt>Endorsed by</dt>
      <dd>${each.endorsers.map((endorser) => html`${signer(endorser)}<br />`)}</dd>
    </dl>
    ${writesTable(each)}`;
}

function signer({ mspId, verified }: Signed): Html {
  return html`${mspId}, ${verified ? html`signature verified` : html`<span class="bad">signature not verified</span>`}`;
}

function writesTable({ writes }: InspectedTransaction): Html {
  if (writes.length === 0) return html`<p>It wrote nothing.</p>`;
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th scope="col">Where</th>
          <th scope="col">Key</th>
          <th scope="col">Value</th>
        </tr>
      </thead>
      <tbody>
        ${writes.map(
          (write) =>
            html`<tr>
              <td>${write.collection ?? 'public'}</td>
              <td><code>${write.key === undefined ? write.keyHash : readableKey(write.key)}</code></td>
              <td>${valueOf(write)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function valueOf({ isPurge, isDelete, valueHash }: InspectedTransaction['writes'][number]): Html {
  if (isPurge) return html`purged`;
  return isDelete ? html`deleted` : html`<code>${valueHash}</code>`;
}
