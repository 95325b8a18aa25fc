/** The page of a trial that a journal's reviewer reads: outcomes, every change of them, results, allocation, proof. */
import type { Outcome, OutcomeChange, TrialView, VersionRecord } from '@salus/chaincode/trial/api';

import { html, type Html } from '../pages/html.js';
import { chips, fact, page, type PageOwner, short, time } from '../pages/layout.js';
import { compareVersions } from './outcome-changes.js';
import { shownVersion } from './research-study.js';
import { checkAllocation, type StratumCheck } from './verify-lists.js';

/** The page under `/trials/{trial}`. */
export function trialPage(owner: PageOwner, view: TrialView): string {
  const { trial, phase, versions, inForce } = view;
  const { protocol } = shownVersion(view);
  const body = html`<h1>${protocol.title}</h1>
    <p class="lead">
      Trial ${trial.trial} as the ledger has it: nobody, the sponsor included, changes any of this unseen.
    </p>
    <dl class="facts card">
      ${fact('State', html`${phase}`)} ${fact('Sponsor', html`${trial.parties.sponsor}`)}
      ${fact('Sites', chips(trial.parties.sites))} ${fact('Sample size', html`${protocol.sampleSize}`)}
      ${fact('Version in force', html`${inForce?.version ?? 'none'}`)}
    </dl>
    <h2>Registered outcomes</h2>
    ${outcomeTable(protocol.outcomes)} ${changes(view)} ${results(view)} ${happenings(view)} ${allocation(view)}
    <h2>Proof</h2>
    <p>
      Each version names the hash of the one before. Its transaction shows which members endorsed it, with verified
      signatures.
    </p>
    <ol class="blocks" id="versions">
      ${versions.map((version) => versionItem(version, view))}
    </ol>`;
  return page(owner, { title: `Trial ${trial.trial}`, body, under: '/ledger' });
}

function outcomeTable(outcomes: readonly Outcome[]): Html {
  return html`<ul class="members">
    ${outcomes.map(
      ({ role, measure, metric, timeFrame, analysis }) =>
        html`<li class="card">
          <h3>${measure}</h3>
          <p>${role}; ${timeFrame}</p>
          <p class="muted">${[metric, analysis].filter((part) => part !== undefined).join('; ')}</p>
        </li>`,
    )}
  </ul>`;
}

function changes(view: TrialView): Html {
  const found = compareVersions(view).filter((each) => each.changes.length > 0);
  if (found.length === 0) return html`<p id="changes">No outcome was changed after first enrolment.</p>`;
  return html`<h2>Outcomes changed</h2>
    <ul id="changes">
      ${found.flatMap(({ version, milestone, changes: list }) =>
        list.map(
          (change) =>
            html`<li><strong>${change.kind}</strong> in version ${version}, against ${milestone}: ${told(change)}</li>`,
        ),
      )}
    </ul>`;
}

/** Metric and analysis where they differ: else both sides of such a change would read the same. */
function told({ old, new: now }: OutcomeChange): Html {
  const differing = (['metric', 'analysis'] as const).filter((part) => old?.[part] !== now?.[part]);
  const say = (outcome: Outcome | undefined): string => {
    if (outcome === undefined) return 'nothing';
    const more = differing.map((part) => `; ${part}: ${outcome[part] ?? 'none'}`).join('');
    return `${outcome.role}: ${outcome.measure} (${outcome.timeFrame})${more}`;
  };
  return html`${say(old)} → ${say(now)}`;
}

/** Halts, their ends, locks, unlocks, unblindings and looks, in the order of their times. */
function happenings({ statuses, looks, unblindings }: TrialView): Html {
  const found = [
    ...statuses.map((record) => ({ ...record, what: record.act, about: '' })),
    ...looks.map((record) => ({ ...record, what: 'interim look', about: String(record.look) })),
    ...unblindings.map((record) => ({
      ...record,
      what: 'emergency unblinding',
      about: `of slot ${record.slot}, ${record.stratum}`,
    })),
  ].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  if (found.length === 0) return html`<p id="happened">Nothing was halted, locked, looked at or unblinded.</p>`;
  return html`<h2>What happened</h2>
    <ol class="blocks" id="happened">
      ${found.map(
        ({ what, about, by, at, tx, reason }) =>
          html`<li>
            <strong>${what}</strong> ${about} by ${by.role} ${by.member}, ${time(at)},
            <a href="/ledger/transactions/${tx}">transaction</a>: ${reason ?? 'no reason asked'}
          </li>`,
      )}
    </ol>`;
}

function results({ results: posted }: TrialView): Html {
  if (posted.length === 0) return html`<p id="results">No results are posted.</p>`;
  return html`<h2>Results against registered outcomes</h2>
    <ul id="results">
      ${posted.flatMap(({ findings }) =>
        findings.map(
          ({ finding, outcome, changes: kinds = [] }) =>
            html`<li>${outcome}: <strong>${finding}</strong> ${kinds.join(', ')}</li>`,
        ),
      )}
    </ul>`;
}

function allocation(view: TrialView): Html {
  const { strata, doubled } = checkAllocation(view);
  const ratios = view.versions[0]?.protocol.allocation.arms.map(({ code, ratio }) => `${code} ${ratio}`) ?? [];
  return html`<h2>Allocation</h2>
    <p>Planned ratio: ${ratios.join(', ')}.</p>
    <ul id="allocation">
      ${strata.map(stratumItem)}
    </ul>
    <p>
      ${doubled.length === 0 ? 'No participant has two slots.' : `${doubled.length} participants have two slots.`}
    </p>`;
}

function stratumItem({ stratum, enrolled, wrongSlots, isListIntact, arms, listed, unknownArms }: StratumCheck): Html {
  const list = isListIntact === undefined ? 'blinded' : isListIntact ? 'list as committed' : 'LIST DIFFERS';
  const balance = Object.entries(arms).map(([arm, count]) => `${arm}: ${count} (${listed[arm]} slots on the list)`);
  const strange = unknownArms.map((arm) => `ARM ${arm} IS NOT IN THE PROTOCOL`);
  return html`<li>
    ${stratum}: ${enrolled} enrolled, ${wrongSlots.length} slots lost or doubled; ${list}
    ${[...balance, ...strange].join(', ')}
  </li>`;
}

function versionItem({ version, hash, reason, at, tx, flags }: VersionRecord, { approvals }: TrialView): Html {
  const own = approvals.filter((each) => each.hash === hash);
  const by = (isSponsor: boolean): string => {
    const who = own.filter((each) => (each.by.role === 'sponsor') === isSponsor);
    return who.length === 0 ? 'nobody yet' : who.map((each) => `${each.by.role} ${each.by.member}`).join(', ');
  };
  return html`<li class="card">
    <h3>Version ${version}</h3>
    <p>${time(at)}, hash ${short(hash)}, <a href="/ledger/transactions/${tx}">transaction</a></p>
    <p>Signed by: ${by(true)}. Approved by: ${by(false)}</p>
    <p>${reason ?? ''} ${flags.length > 0 ? html`<strong>changes outcomes after first enrolment</strong>` : html``}</p>
  </li>`;
}
