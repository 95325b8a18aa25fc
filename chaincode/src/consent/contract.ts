import { Returns, Transaction } from 'fabric-contract-api';
import { canonical } from '../lib/canonical';
import { SalusContext } from '../lib/context';
import { SalusContract } from '../lib/contract';
import { exists, saveSalted } from '../lib/record';
import { allowed } from '../lib/refusal';
import type { PatientKey, PatientRecord } from '../patient/api';
import { keysOf, patientOf } from '../patient/reads';
import { type ConsentRecord, parseList, parseRead, parseRecord, type RecordConsent, refuse } from './api';
import { consentList, consentsInForce, consentVersion } from './reads';
import { mayReplace, replaces } from './replacing';
import { record, type Standing } from './rules';
import { consentKind, consentListKind } from './state';
import { statementHeader } from './statement';

/** What patients permitted and denied. */
export class ConsentContract extends SalusContract {
  constructor() {
    super('consent');
  }

  @Transaction()
  async record(ctx: SalusContext): Promise<void> {
    const request = ctx.request(parseRecord);
    const recorded = allowed(record(request, await standing(ctx, request)));
    const { pid, consentId, version, salt } = request;
    await saveSalted(ctx, consentKind, [consentId, version.toString()], recorded.record, salt);
    await saveSalted(ctx, consentListKind, [pid], recorded.list, salt);
  }

  @Transaction(false)
  @Returns('string')
  async read(ctx: SalusContext): Promise<string> {
    const { consentId, version } = ctx.request(parseRead);
    const found = await consentVersion(ctx, consentId, version);
    if (found === undefined) throw refuse('unknown-consent', 'there is no such version of a consent');
    return canonical(found);
  }

  @Transaction(false)
  @Returns('string')
  async list(ctx: SalusContext): Promise<string> {
    return canonical(await consentsInForce(ctx, ctx.request(parseList).pid));
  }
}

async function standing(ctx: SalusContext, request: RecordConsent): Promise<Standing> {
  const { pid, consentId, version, replaces, statement } = request;
  const { user, role } = ctx.actor;
  const patient = await patientOf(ctx, pid);
  const keys = await keysBehind(ctx, patient, [{ statement }]);
  const previous = replaces === undefined ? undefined : await consentVersion(ctx, consentId, replaces);
  const others = patient === undefined ? [] : await othersOf(ctx, request);
  return {
    channel: ctx.channel,
    now: ctx.now,
    submitter: { member: ctx.caller.member, user, role },
    patient,
    isKnown: await exists(ctx, consentKind, consentId, version.toString()),
    previous,
    keys,
    clock: keys.some(({ until }) => until !== undefined) ? await ctx.clock() : undefined,
    list: await consentList(ctx, pid),
    others,
    earlierKeys: await keysBehind(ctx, patient, [...(previous === undefined ? [] : [previous]), ...others]),
  };
}

/** Those in force that it replaces: read only for what may replace another, which most consents do not. */
async function othersOf(
  ctx: SalusContext,
  { pid, consentId, consent }: RecordConsent,
): Promise<readonly ConsentRecord[]> {
  if (consent.status !== 'active' || !mayReplace(consent)) return [];
  const inForce = (await consentsInForce(ctx, pid)).filter((each) => each.consentId !== consentId);
  return inForce.filter((each) => replaces(consent, each));
}

/** Keys by whose ids the statements name themselves signed. */
async function keysBehind(
  ctx: SalusContext,
  patient: PatientRecord | undefined,
  said: readonly { readonly statement?: string | undefined }[],
): Promise<readonly PatientKey[]> {
  const kids = said.flatMap(({ statement }) => (statement && statementHeader(statement)?.kid) ?? []);
  if (patient === undefined) return [];
  const keys: PatientKey[] = [];
  for (const kid of new Set(kids)) keys.push(...(await keysOf(ctx, patient, kid)));
  return keys;
}
