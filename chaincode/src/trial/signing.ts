/** Personal signatures on acts that concern a whole trial (21 CFR 11.50, 11.70): load, judge. */
import type { SalusContext } from '../lib/context';
import type { Signature } from './acts';
import { delegateOf, signersOf } from './delegates';
import { actOf } from './facts';
import type { Signed, TrialRecord } from './records';
import { delegation, signed, unlockers } from './signatures';

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

/** The signatures of two people of two members under an unlock, each over exactly this content. */
export async function demandUnlockers(
  ctx: SalusContext,
  { trial, parties }: Pick<TrialRecord, 'trial' | 'parties'>,
  signatures: readonly Signature[],
  content: object,
): Promise<Signed> {
  const signers = await signersOf(ctx, trial, signatures);
  const about = { channel: ctx.channel, trial, ...content };
  const refusal =
    unlockers(signatures, signers, actOf(ctx).by, parties) ??
    signatures.map((each) => signed(each, signers.get(each.kid), about, ctx.now)).find((each) => each !== undefined);
  if (refusal !== undefined) throw refusal;
  return { statements: signatures.map(({ statement }) => statement) };
}
