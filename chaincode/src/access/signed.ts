import { isSignedBy, parseJws } from '../lib/jws';
import { Refusal } from '../lib/refusal';
import { parseText } from '../lib/schema';
import type { MemberEntry } from '../registry/api';
import { namedPatient, parseSignedRequest, refuse, type RequestAccess, type SignedRequest } from './api';
import { canonical } from '../lib/canonical';
import type { Asker } from './rules';

/** A signed request as far as it can be one; undefined otherwise. Nothing in it is believed yet. */
export function signedRequest(compact: string): SignedRequest | undefined {
  const payload = parseJws(compact)?.payload;
  if (payload === undefined) return undefined;
  try {
    return parseText(parseSignedRequest, payload, 'onBehalfOf');
  } catch {
    return undefined;
  }
}

/**
 * Who asks by a signed request that the calling custodian submits, of the patient whom it names by the id at the custodian
 * (`here.patient`; undefined where the ledger knows nobody). It counts once: it names the access, and an access id is taken
 * once.
 */
export function signedAsker(
  request: RequestAccess,
  signed: SignedRequest | undefined,
  member: MemberEntry | undefined,
  here: { readonly channel: string; readonly custodian: string; readonly patient: string | undefined },
): Asker | Refusal {
  const jws = request.onBehalfOf === undefined ? undefined : parseJws(request.onBehalfOf);
  const isGenuine = jws !== undefined && member?.keys.some((key) => isSignedBy(jws, key)) === true;
  if (!isGenuine || signed === undefined || signed.member !== member.name) {
    return refuse('signed-request-invalid', "not signed by a key of the asking member's registry entry");
  }
  const { channel, custodian } = here;
  const says = { channel, custodian, aid: request.aid, purpose: request.purpose, scope: request.scope };
  const { channel: on, custodian: of, aid, purpose, scope, actor } = signed;
  if (
    request.custodian !== custodian ||
    canonical({ channel: on, custodian: of, aid, purpose, scope }) !== canonical(says)
  ) {
    return refuse('signed-request-invalid', 'it names another channel, custodian, access, purpose or scope');
  }
  if (!namesPatient(signed, here.patient)) return refuse('signed-request-invalid', 'it names another patient');
  return { requester: signed.member, submittedBy: custodian, ...actor, purpose };
}

function namesPatient({ aid, custodian, patient: named }: SignedRequest, patient: string | undefined): boolean {
  return patient === undefined || named === namedPatient({ aid, custodian, patient });
}
