import { common } from '@hyperledger/fabric-protos';
import type { Identities } from '../identity/identities.js';
import type { MspIdentity } from '../identity/msp.js';
import { mspOfPrincipal, parsePrincipal, type Principal } from '../identity/principal.js';
import type { SignedData } from '../ports.js';

/** A policy ready to be asked: undefined when satisfied, else Fabric's text of why not. */
export type Policy = (signers: readonly MspIdentity[]) => string | undefined;

type Rule = (signers: readonly MspIdentity[], used: boolean[]) => boolean;

const NOT_SATISFIED = 'signature set did not satisfy policy';

/**
 * The identities behind a set of signatures: malformed ones and bad signatures are dropped, each identity counts once
 * (common/policies/policy.go). Whether an identity is valid in its MSP is asked by the principals.
 */
export function signersOf(identities: Identities, signed: readonly SignedData[]): MspIdentity[] {
  const signers = new Map<string, MspIdentity>();
  for (const { identity, data, signature } of signed) {
    const signer = deserialize(identities, identity);
    if (signer === undefined || signers.has(signer.key)) continue;
    if (signer.verify(data, signature)) signers.set(signer.key, signer);
  }
  return [...signers.values()];
}

/**
 * Compiles a common.SignaturePolicyEnvelope. Evaluation is greedy, in the order of the signatures, and each identity
 * serves once, exactly as cauthdsl does: AND(member, peer) may refuse what a better matching would accept.
 * Throws when the envelope is malformed.
 */
export function compileSignaturePolicy(envelope: common.SignaturePolicyEnvelope): Policy {
  const rule = envelope.getRule();
  if (rule === undefined) throw new Error('Empty policy element');
  const evaluate = compileRule(rule, envelope.getIdentitiesList().map(parsePrincipal));
  return (signers) => (evaluate(signers, new Array<boolean>(signers.length).fill(false)) ? undefined : NOT_SATISFIED);
}

/** Whether an identity satisfies one of the principals of an envelope, as membership of a collection is asked. */
export function satisfiesAnyPrincipal(envelope: common.SignaturePolicyEnvelope, identity: MspIdentity): boolean {
  return envelope.getIdentitiesList().some((principal) => parsePrincipal(principal)(identity));
}

/** The MSPs whose principals an envelope names. */
export function mspsOfPolicy(envelope: common.SignaturePolicyEnvelope): Set<string> {
  return new Set(envelope.getIdentitiesList().flatMap((principal) => mspOfPrincipal(principal) ?? []));
}

function deserialize(identities: Identities, serialized: Buffer): MspIdentity | undefined {
  try {
    return identities.deserialize(serialized);
  } catch {
    return undefined;
  }
}

function compileRule(rule: common.SignaturePolicy, principals: readonly Principal[]): Rule {
  const nOutOf = rule.getNOutOf();
  if (nOutOf !== undefined) {
    return atLeast(
      nOutOf.getN(),
      nOutOf.getRulesList().map((inner) => compileRule(inner, principals)),
    );
  }
  if (rule.getTypeCase() !== common.SignaturePolicy.TypeCase.SIGNED_BY) throw new Error('Unknown type of policy rule');
  const principal = principals[rule.getSignedBy()];
  if (principal === undefined) throw new Error(`identity index out of range, requested ${rule.getSignedBy()}`);
  return signedBy(principal);
}

function atLeast(threshold: number, rules: readonly Rule[]): Rule {
  return (signers, used) => {
    let satisfied = 0;
    for (const rule of rules) {
      const attempt = [...used];
      if (!rule(signers, attempt)) continue;
      satisfied += 1;
      attempt.forEach((taken, index) => (used[index] = taken));
    }
    return satisfied >= threshold;
  };
}

function signedBy(principal: Principal): Rule {
  return (signers, used) => {
    const index = signers.findIndex((signer, position) => used[position] !== true && principal(signer));
    if (index < 0) return false;
    used[index] = true;
    return true;
  };
}
