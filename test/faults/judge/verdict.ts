/** What the history says against what was found: pure, so that it can be shown to find what is wrong. */
import type { Evidence } from './evidence.js';
import { type AskedLine, type HistoryLine, linesOf, type ToldLine } from './history.js';

/** What is wrong in each way, by name; all empty is a pass. */
export type Verdict = Readonly<Record<Violation, readonly string[]>>;

const VIOLATIONS = [
  'acknowledged and lost',
  'written twice',
  'acknowledged under an id that is not its own',
  'answered failed, yet there',
  'neither acknowledged nor failed',
  'there, and asked for by nobody',
  'calls left open in outboxes',
  'peers with other blocks, flags or commit hashes',
  'projections unlike their rebuild',
  'reads of a patient’s data without a record before',
  'reads not anchored',
  'files outside a hospital’s own that hold its words',
] as const;

export type Violation = (typeof VIOLATIONS)[number];

/** Judges a run. */
export function verdictOf(lines: readonly HistoryLine[], evidence: Evidence): Verdict {
  const wrong = Object.fromEntries(VIOLATIONS.map((name) => [name, [] as string[]])) as Record<Violation, string[]>;
  const told = new Map(linesOf(lines, 'told').map((each) => [each.key, each]));
  const asked = linesOf(lines, 'asked');
  for (const write of asked)
    for (const name of wrongWith(write, told.get(write.key), evidence)) wrong[name].push(write.key);
  const marks = new Set(asked.flatMap((write) => write.marks));
  wrong['there, and asked for by nobody'].push(...Object.keys(evidence.found).filter((mark) => !marks.has(mark)));
  for (const { user, remote, at } of linesOf(lines, 'shown')) {
    const since = evidence.recorded[remote ? 'remote' : 'local'][user] ?? Infinity;
    if (since > at) wrong['reads of a patient’s data without a record before'].push(user);
  }
  wrong['peers with other blocks, flags or commit hashes'].push(...unlikeOthers(evidence.chains));
  wrong['projections unlike their rebuild'].push(...evidence.unlikeRebuild);
  wrong['calls left open in outboxes'].push(...evidence.openCalls);
  wrong['reads not anchored'].push(...evidence.unanchored);
  wrong['files outside a hospital’s own that hold its words'].push(...(evidence.escaped ?? []));
  return wrong;
}

function wrongWith({ marks }: AskedLine, told: ToldLine | undefined, { found }: Evidence): Violation[] {
  const there = marks.map((mark) => found[mark] ?? []);
  const wrong: Violation[] = there.some((ids) => ids.length > 1) ? ['written twice'] : [];
  if (told === undefined) return [...wrong, 'neither acknowledged nor failed'];
  if (told.told === 'failed')
    return there.some((ids) => ids.length > 0) ? [...wrong, 'answered failed, yet there'] : wrong;
  if (there.some((ids) => ids.length === 0)) return [...wrong, 'acknowledged and lost'];
  const isOwn = there.every((ids, at) => ids.includes(told.ids?.[at] ?? ''));
  return isOwn ? wrong : [...wrong, 'acknowledged under an id that is not its own'];
}

/** Peers whose chain is not that of most. */
function unlikeOthers(chains: Evidence['chains']): string[] {
  const peers = Object.entries(chains).map(([peer, blocks]) => ({ peer, chain: blocks.join() }));
  const alike = (chain: string): number => peers.filter((other) => other.chain === chain).length;
  const most = Math.max(...peers.map(({ chain }) => alike(chain)));
  const reference = peers.find(({ chain }) => alike(chain) === most)?.chain;
  return peers.filter(({ chain }) => chain !== reference).map(({ peer }) => peer);
}
