/** The ledger as people read it: newest blocks, one block, one transaction. */
import { codeName, readableKey, type InspectedBlock, type InspectedTransaction } from '../ledger/inspect.js';
import type { Signed } from '../ledger/trust.js';
import type { LedgerBlock, LedgerTransaction } from '../ports.js';
import { html, type Html } from './html.js';
import { chips, fact, page, short, time, type PageOwner } from './layout.js';

/** Path of the page's script, compiled from browser/ledger.ts. */
export const LEDGER_SCRIPT = '/assets/ledger.js';

/** Where the form on the page leads. */
export const FIND_PATH = '/ledger/find';

/** The page under `/ledger`. */
export function ledgerPage(owner: PageOwner, blocks: readonly LedgerBlock[]): string {
  const newest = blocks[0];
  const body = html` <h1>Ledger</h1>
    <p class="lead">
      Every member holds these same blocks. Each names the hash of the one before; who endorsed a transaction signed it.
    </p>
    <form class="find" action="${FIND_PATH}" method="get" role="search">
      <label for="find">Block number or transaction id</label>
      <div>
        <input id="find" name="q" required autocomplete="off" spellcheck="false" maxlength="64" />
        <button>Find</button>
      </div>
    </form>
    <h2>Newest blocks</h2>
    <p id="live" class="muted" role="status">
      ${newest === undefined ? 'No block yet.' : html`Newest block: ${newest.number}.`}
    </p>
    <noscript><p class="muted">Without script this page does not change by itself: reload it.</p></noscript>
    ${
      newest === undefined
        ? html`<p id="empty" class="card">
            This gateway follows its own peer and has been given no block yet. Blocks appear here as they are committed.
          </p>`
        : html``
    }
    <ol class="blocks" id="blocks">
      ${blocks.map((block) => blockItem(block))}
    </ol>
    ${older(blocks.at(-1)?.number)}`;
  return page(owner, { title: 'Ledger', body, under: '/ledger', scripts: [LEDGER_SCRIPT] });
}

function older(oldest: number | undefined): Html {
  return oldest === undefined || oldest === 0
    ? html``
    : html`<p class="between"><a href="/ledger/blocks/${oldest - 1}">Block ${oldest - 1} and those before</a></p>`;
}

/** One block in the list. */
export function blockItem(block: LedgerBlock): Html {
  const written = block.transactions[0]?.timestamp;
  return html`<li class="card" data-block="${block.number}">
    <div class="head">
      <h3><a href="/ledger/blocks/${block.number}">Block ${block.number}</a></h3>
      ${written === undefined ? html`` : time(written)}
      <p class="muted">
        hash ${short(block.hash)} ${block.number === 0 ? html`the first` : html`after ${short(block.previousHash)}`}
      </p>
    </div>
    <ul class="transactions">
      ${block.transactions.map(transactionItem)}
    </ul>
  </li>`;
}

function transactionItem(each: LedgerTransaction): Html {
  return html`<li>
    ${link(each)} ${by(each.creatorMspId)} ${endorsed(each.endorsers)}
    <span class="push">${verdict(each.code)}</span>
  </li>`;
}

/** The first block's transaction is nobody's: it is what the members agreed on before there was a channel. */
function by(mspId: string): Html {
  return mspId === '' ? html`` : html`<span>by ${mspId}</span>`;
}

function link({ txId, transaction }: LedgerTransaction): Html {
  const name = nameOf(transaction);
  if (txId === '') return html`<b>${name}</b>`;
  return html`<a href="/ledger/transactions/${txId}">${name}</a> ${short(txId)}`;
}

function nameOf(transaction: string): string {
  return transaction === '' ? 'configuration or lifecycle' : transaction;
}

function endorsed(endorsers: readonly string[]): Html {
  return endorsers.length === 0
    ? html``
    : html`<span class="endorsers"><span class="muted">endorsed by</span> ${chips(endorsers)}</span>`;
}

function verdict(code: number): Html {
  return code === 0 ? html`<span class="good">valid</span>` : html`<span class="bad">${codeName(code)}</span>`;
}

/** The page of one block, its hashes and signatures checked. `height` is the number of blocks there are. */
export function blockPage(owner: PageOwner, block: InspectedBlock, height: number): string {
  const body = html` <p class="muted"><a href="/ledger">Ledger</a></p>
    <h1>Block ${block.number}</h1>
    <dl class="facts wide card">
      ${fact('Hash', html`<code>${block.hash}</code>`)}
      ${fact('Hash of the block before', hashOrNone(block.previousHash))}
      ${fact('Hash of its data', html`<code>${block.dataHash}</code>`)}
      ${fact('Commit hash', hashOrNone(block.commitHash))}
    </dl>
    ${neighbours(block.number, height)}
    ${block.transactions.map((each) => transactionCard(each, html`<h2>${titleOf(each)}</h2>`))}`;
  return page(owner, { title: `Block ${block.number}`, body, under: '/ledger' });
}

function hashOrNone(hash: string): Html {
  return hash === '' ? html`none: it is the first block` : html`<code>${hash}</code>`;
}

function neighbours(number: number, height: number): Html {
  const before =
    number === 0 ? html`<span></span>` : html`<a href="/ledger/blocks/${number - 1}" rel="prev">Before</a>`;
  const after = number + 1 >= height ? html`` : html`<a href="/ledger/blocks/${number + 1}" rel="next">After</a>`;
  return html`<nav class="between" aria-label="Blocks beside">${before}${after}</nav>`;
}

/** The page of one transaction. */
export function transactionPage(owner: PageOwner, transaction: InspectedTransaction): string {
  const body = html`<p class="muted">
      <a href="/ledger">Ledger</a> / <a href="/ledger/blocks/${transaction.block}">Block ${transaction.block}</a>
    </p>
    <h1>${nameOf(transaction.transaction)}</h1>
    <p class="lead">Position ${transaction.index} in block ${transaction.block}.</p>
    ${transactionCard(transaction, html``)}`;
  return page(owner, { title: `Transaction in block ${transaction.block}`, body, under: '/ledger' });
}

function titleOf({ txId, transaction }: InspectedTransaction): Html {
  const name = nameOf(transaction);
  return txId === '' ? html`${name}` : html`<a href="/ledger/transactions/${txId}">${name}</a>`;
}

function transactionCard(each: InspectedTransaction, heading: Html): Html {
  const mark = each.code === 0 ? 'good' : 'bad';
  return html`<section class="card transaction" aria-label="Transaction at position ${each.index}">
    ${heading}
    <dl class="facts wide">
      ${fact('Transaction id', each.txId === '' ? html`none` : html`<code>${each.txId}</code>`)}
    </dl>
    <dl class="facts">
      ${fact('Validation', html`<span class="${mark}">${each.validation}</span>`)}
      ${fact('Time claimed', time(each.timestamp))} ${fact('Created by', signer(each.creator))}
    </dl>
    <dl class="facts wide">
      ${fact('Endorsed by', each.endorsers.length === 0 ? html`nobody` : signers(each.endorsers))}
    </dl>
    <dl class="facts wide">${fact('Written', writesTable(each))}</dl>
  </section>`;
}

function signers(endorsers: readonly Signed[]): Html {
  return html`${endorsers.map((endorser) => html`<div>${signer(endorser)}</div>`)}`;
}

function signer({ mspId, verified }: Signed): Html {
  if (mspId === '') return html`nobody: it is the channel’s first configuration`;
  return html`${mspId}
  ${verified ? html`<span class="good">signature verified</span>` : html`<span class="bad">signature not verified</span>`}`;
}

function writesTable({ writes, code }: InspectedTransaction): Html {
  if (code !== 0) return html`nothing: what is not valid changes nothing`;
  if (writes.length === 0) return html`nothing`;
  return html`<table class="stack">
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
            <td>
              ${write.key === undefined ? html`hash <code>${write.keyHash}</code>` : html`<code>${readableKey(write.key)}</code>`}
            </td>
            <td>${valueOf(write)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function valueOf({ isPurge, isDelete, valueHash }: InspectedTransaction['writes'][number]): Html {
  if (isPurge) return html`purged`;
  return isDelete ? html`deleted` : html`hash <code>${valueHash}</code>`;
}
