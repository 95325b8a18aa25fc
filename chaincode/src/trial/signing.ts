/** Personal signatures on acts that concern a whole trial (21 CFR 11.50, 11.70): load, judge. */
import type { SalusContext } from '../lib/context';
import type { Signature } from './acts';
import { actOf, delegateOf, signersOf } from './facts';
import type { Signed } from './records';
import { refuse } from './refusals';
import type { TrialRole } from './rights';
import { delegation, signed } from './signatures';

/**
 * The signature of who acts, over exactly this content and its meaning. Refused where it is of anything else, of another
 * time, or by a key that is not on the delegation log of the calling member in the role of the caller.
 */
export async function demandSignature(
  ctx: SalusContext,
  { trial, signature }: { readonly trial: string; readonly signature: Signature },
  content: object,
): Promise<Signed> {
  const delegate = await delegateOf(ctx, trial, signature.kid);
  const about = { channel: ctx.channel, trial, ...content };
  const refusal = delegation(delegate, actOf(ctx).by) ?? signed(signature, delegate, about, ctx.now);
  if (refusal !== undefined) throw refusal;
  return { statements: [signature.statement] };
}

/**
 * The signatures of two people of two members, each over exactly this content: one on the delegation log of the calling
 * member in the role of the caller, the other of another member in one of the roles `beside`.
 */
export async function demandTwoSignatures(
  ctx: SalusContext,
  { trial, signatures }: { readonly trial: string; readonly signatures: readonly Signature[] },
  content: object,
  beside: readonly TrialRole[],
): Promise<Signed> {
  const { by } = actOf(ctx);
  const signers = await signersOf(ctx, trial, signatures);
  const members = new Set(signatures.map(({ kid }) => signers.get(kid)?.member));
  if (members.size !== 2) throw refuse('two-signatures', 'two people of two members sign');
  const delegates = [...signers.values()];
  const isOwn = delegates.some((each) => delegation(each, by) === undefined);
  const isOther = delegates.some(({ member, role }) => member !== by.member && beside.some((each) => each === role));
  if (!isOwn || !isOther) {
    throw refuse('not-delegated', `a ${by.role} of the calling member signs, and of another: ${beside.join(', ')}`);
  }
  const about = { channel: ctx.channel, trial, ...content };
  for (const signature of signatures) {
    const refusal = signed(signature, signers.get(signature.kid), about, ctx.now);
    if (refusal !== undefined) throw refusal;
  }
  return { statements: signatures.map(({ statement }) => statement) };
}
