import { Returns, Transaction } from 'fabric-contract-api';
import { canonical } from '../lib/canonical';
import { SalusContext } from '../lib/context';
import { SalusContract } from '../lib/contract';
import { exists, saveSalted } from '../lib/record';
import { allowed } from '../lib/refusal';
import type { PatientKey, PatientRecord } from '../patient/api';
import { keysOf, patientOf } from '../patient/reads';
import { parseList, parseRead, parseRecord, type RecordConsent, refuse } from './api';
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
  const kid = statement === undefined ? undefined : statementHeader(statement)?.kid;
  const keys = patient === undefined || kid === undefined ? [] : await keysOf(ctx, patient, kid);
  return {
    channel: ctx.channel,
    now: ctx.now,
    submitter: { member: ctx.caller.member, user, role },
    patient,
    isKnown: await exists(ctx, consentKind, consentId, version.toString()),
    previous: replaces === undefined ? undefined : await consentVersion(ctx, consentId, replaces),
    keys,
    clock: keys.some(({ until }) => until !== undefined) ? await ctx.clock() : undefined,
    list: await consentList(ctx, pid),
    ...(await others(ctx, request, patient)),
  };
}

/** Read only for what may replace another: of most consents nothing is. */
async function others(
  ctx: SalusContext,
  { pid, consentId, consent }: RecordConsent,
  patient: PatientRecord | undefined,
): Promise<Pick<Standing, 'others' | 'earlierKeys'>> {
  if (patient === undefined || consent.status !== 'active' || !mayReplace(consent)) return NO_OTHERS;
  const inForce = (await consentsInForce(ctx, pid)).filter((each) => each.consentId !== consentId);
  const others = inForce.filter((each) => replaces(consent, each));
  const kids = others.flatMap(({ statement }) => (statement && statementHeader(statement)?.kid) ?? []);
  const keys: PatientKey[] = [];
  for (const kid of new Set(kids)) keys.push(...(await keysOf(ctx, patient, kid)));
  return { others, earlierKeys: keys };
}

const NO_OTHERS = { others: [], earlierKeys: [] };
