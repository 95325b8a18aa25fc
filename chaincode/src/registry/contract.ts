import { Returns, Transaction } from 'fabric-contract-api';
import { canonical, digest } from '../lib/canonical';
import { ownCode } from '../lib/code';
import { SalusContext } from '../lib/context';
import { SalusContract } from '../lib/contract';
import { list, load, save } from '../lib/record';
import { allowed } from '../lib/refusal';
import { parseText } from '../lib/schema';
import {
  type CodeView,
  type ConsortiumEntry,
  events,
  type MemberEntry,
  parseEntry,
  type RegistryEntry,
  type RegistryView,
} from './api';
import { approve, voters, type Standing } from './rules';
import { approvalKind, CONSORTIUM, consortiumKind, memberKind, subjectOf } from './state';

/** Who the members are. */
export class RegistryContract extends SalusContract {
  constructor() {
    super('registry');
  }

  @Transaction()
  async approve(ctx: SalusContext, argument: string): Promise<void> {
    const entry = parseText(parseEntry, argument, 'entry');
    const { approval, comesIntoForce } = allowed(approve(entry, ctx.caller.member, await standing(ctx, entry)));
    await save(ctx, approvalKind, [approval.subject, approval.hash, approval.member], approval);
    if (!comesIntoForce) return;
    await putInForce(ctx, entry, approval.hash);
    ctx.emit(events.changed, { ...approval });
  }

  @Transaction(false)
  @Returns('string')
  async read(ctx: SalusContext): Promise<string> {
    const [consortium] = await list(ctx, consortiumKind);
    const view: RegistryView = {
      ...(consortium && { consortium }),
      members: await list(ctx, memberKind),
      approvals: await list(ctx, approvalKind),
    };
    return canonical(view);
  }

  @Transaction(false)
  @Returns('string')
  code(): Promise<string> {
    const view: CodeView = { code: ownCode() };
    return Promise.resolve(canonical({ ...view }));
  }
}

async function standing(ctx: SalusContext, entry: RegistryEntry): Promise<Standing> {
  const consortium = await load(ctx, consortiumKind, CONSORTIUM);
  const inForce = entry.kind === 'consortium' ? consortium : await load(ctx, memberKind, entry.name);
  const approvedBy: string[] = [];
  for (const member of voters(entry, { consortium })) {
    const approval = await load(ctx, approvalKind, subjectOf(entry), digest(entry), member);
    if (approval !== undefined) approvedBy.push(member);
  }
  return { consortium, inForce, approvedBy, others: await others(ctx, entry, consortium?.entry) };
}

/** The founding consortium comes before any member's entry; one that replaces it brings none. */
async function others(
  ctx: SalusContext,
  entry: RegistryEntry,
  consortium: ConsortiumEntry | undefined,
): Promise<MemberEntry[]> {
  if (entry.kind === 'consortium') return [];
  const names = (consortium?.members ?? []).map(({ name }) => name).filter((name) => name !== entry.name);
  const found: MemberEntry[] = [];
  for (const name of names) {
    const inForce = await load(ctx, memberKind, name);
    if (inForce !== undefined) found.push(inForce.entry);
  }
  return found;
}

async function putInForce(ctx: SalusContext, entry: RegistryEntry, hash: string): Promise<void> {
  if (entry.kind === 'consortium') await save(ctx, consortiumKind, [CONSORTIUM], { hash, entry });
  const described = entry.kind === 'consortium' ? (entry.entries ?? []) : [entry];
  for (const member of described) await save(ctx, memberKind, [member.name], { hash: digest(member), entry: member });
}
