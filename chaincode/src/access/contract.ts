import { Returns, Transaction } from 'fabric-contract-api';
import { consentsInForce } from '../consent/reads';
import { canonical } from '../lib/canonical';
import { SalusContext } from '../lib/context';
import { SalusContract } from '../lib/contract';
import { exists, load, saveSalted } from '../lib/record';
import { allowed } from '../lib/refusal';
import { linkOf, patientOf } from '../patient/reads';
import { hasRole, memberEntry } from '../registry/reads';
import {
  parseAnchor,
  parseDisclose,
  parseLate,
  parseRead,
  parseRequest,
  type ReadAnchor,
  refuse,
  type RequestAccess,
} from './api';
import type { Emergency } from './emergency';
import { heardLate, lateAccess, signedLate } from './late';
import { askable, type Asker, decideAccess, disclose, type Grounds, linkProblem, mayRead } from './rules';
import { signedAsker, signedRequest } from './signed';
import { accessKind, disclosureKind, readAnchorKind } from './state';

/** Consents read for each access, at least. */
export const CONSENTS_READ = 4;

/** Who asked for what, and what was decided. */
export class AccessContract extends SalusContract {
  constructor() {
    super('access');
  }

  @Transaction()
  async request(ctx: SalusContext): Promise<void> {
    const request = ctx.request(parseRequest);
    const by = await asker(ctx, request);
    const isKnown = await exists(ctx, accessKind, request.aid);
    allowed(askable(request, by, isKnown, await emergency(ctx, request, by)));
    const link = request.link === undefined ? undefined : await linkOf(ctx, request.link);
    allowed(linkProblem(request, by, link));
    const record = decideAccess(request, by, await grounds(ctx, request.pid));
    await saveSalted(ctx, accessKind, [request.aid], record, request.salt);
  }

  @Transaction()
  async late(ctx: SalusContext): Promise<void> {
    const request = ctx.request(parseLate);
    const signed = signedLate(request.request);
    const asking = signed && (await memberEntry(ctx, signed.member));
    const { said, isKeyReplaced } = allowed(heardLate(request, signed, asking, ctx.channel));
    const known = await load(ctx, accessKind, said.aid);
    const isHospital = await hasRole(ctx, said.member, 'hospital');
    const judged = { ...(await grounds(ctx, said.pid)), by: ctx.caller.member, isHospital, known, isKeyReplaced };
    await saveSalted(ctx, accessKind, [said.aid], allowed(lateAccess(said, judged)), request.salt);
  }

  @Transaction(false)
  @Returns('string')
  async read(ctx: SalusContext): Promise<string> {
    const record = await load(ctx, accessKind, ctx.request(parseRead).aid);
    const { member } = ctx.caller;
    if (record === undefined || !mayRead(record, member, await hasRole(ctx, member, 'witness'))) {
      throw refuse('unknown-access', 'no access of this id is known to the calling member');
    }
    return canonical(record);
  }

  @Transaction()
  async disclose(ctx: SalusContext): Promise<void> {
    for (const manifest of ctx.request(parseDisclose).manifests) {
      const { aid, manifestId, salt } = manifest;
      const access = await load(ctx, accessKind, aid);
      const isKnown = await exists(ctx, disclosureKind, aid, manifestId);
      const record = allowed(disclose(manifest, ctx.caller.member, access, isKnown, ctx.now));
      await saveSalted(ctx, disclosureKind, [aid, manifestId], record, salt);
    }
  }

  @Transaction()
  async anchor(ctx: SalusContext): Promise<void> {
    const { salt, ...slice } = ctx.request(parseAnchor);
    if (await exists(ctx, readAnchorKind, slice.anchorId)) {
      throw refuse('anchor-exists', 'this anchorId is taken: draw a new one');
    }
    const record: ReadAnchor = { ...slice, anchored: ctx.now };
    await saveSalted(ctx, readAnchorKind, [slice.anchorId], record, salt);
  }
}

async function asker(ctx: SalusContext, request: RequestAccess): Promise<Asker> {
  const { member: custodian } = ctx.caller;
  if (request.onBehalfOf === undefined) return { requester: custodian, ...ctx.actor };
  const signed = signedRequest(request.onBehalfOf);
  const member = signed && (await memberEntry(ctx, signed.member));
  const patient = (await patientOf(ctx, request.pid))?.custodians[custodian]?.patientId;
  return allowed(signedAsker(request, signed, member, { channel: ctx.channel, custodian, patient }));
}

async function emergency(ctx: SalusContext, { breakGlass }: RequestAccess, by: Asker): Promise<Emergency | undefined> {
  if (breakGlass === undefined) return undefined;
  const { follows } = breakGlass;
  const first = follows === undefined ? undefined : await load(ctx, accessKind, follows);
  return { isHospital: await hasRole(ctx, by.requester, 'hospital'), first, at: await ctx.clock() };
}

/** Reads in this order and as often whatever is found, so that a decoy costs what a patient costs. */
async function grounds(ctx: SalusContext, pid: string): Promise<Grounds> {
  const patient = await patientOf(ctx, pid);
  const consents = await consentsInForce(ctx, pid, CONSENTS_READ);
  return { patient, consents, at: await ctx.clock() };
}
