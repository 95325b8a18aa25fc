import { Returns, Transaction } from 'fabric-contract-api';
import { erasureOf } from '../ehr/reads';
import { canonical } from '../lib/canonical';
import { SalusContext } from '../lib/context';
import { SalusContract } from '../lib/contract';
import { exists, list, load, purge, saveSalted } from '../lib/record';
import { allowed } from '../lib/refusal';
import { hasRole } from '../registry/reads';
import {
  parseChangeLink,
  parseLink,
  parseListCodes,
  parseNewSecret,
  parsePurgeCodes,
  parseRead,
  parseReadSecret,
  parseRegister,
  parseRegisterKey,
  parseRetireSecret,
  lookupEntryKey,
  lookupSecretKey,
  quarterOf,
  type ChangeLink,
  type LinkPatients,
  type LinkSide,
  type PatientKey,
  type PatientLink,
  type PatientRecord,
  type PatientView,
  refuse,
  type RegisterKey,
} from './api';
import { confirm, end, nextVersion, propose, sideOf, type Voucher } from './links';
import { announced, listed, type Lister, mayList, newSecret, retired } from './lookup';
import { linkOf, patientOf } from './reads';
import { keyProblem, type LinkSaid, linkStatementHeader, linkStatementProblem } from './signed';
import { register, type Registrar, replacedKey, setKey, walletKey } from './rules';
import { lookupEntryKind, lookupSecretKind, patientKeyKind, patientKind, patientLinkKind } from './state';

/** Patients under their random ids. */
export class PatientContract extends SalusContract {
  constructor() {
    super('patient');
  }

  @Transaction()
  async register(ctx: SalusContext): Promise<void> {
    const request = ctx.request(parseRegister);
    const isKnown = await exists(ctx, patientKind, request.pid);
    const record = allowed(register(request, await registrar(ctx), isKnown, ctx.now));
    await saveSalted(ctx, patientKind, [request.pid], record, request.salt);
    const key = walletKey(request, ctx.caller.member, ctx.now);
    if (key !== undefined) await saveKey(ctx, key, request.salt);
  }

  @Transaction()
  async key(ctx: SalusContext): Promise<void> {
    const request = ctx.request(parseRegisterKey);
    const address = [request.pid, ctx.caller.member, request.jwk.kid] as const;
    const patient = await patientOf(ctx, request.pid);
    const known = await load(ctx, patientKeyKind, ...address);
    const record = allowed(setKey(request, await registrar(ctx), patient, known, ctx.now));
    if (request.replaces !== undefined) await replace(ctx, request, request.replaces);
    await saveKey(ctx, record, request.salt);
  }

  @Transaction()
  async link(ctx: SalusContext): Promise<void> {
    const request = ctx.request(parseLink);
    const isKnown = await exists(ctx, patientLinkKind, request.linkId);
    const sides = [{ pid: request.pid, custodian: ctx.caller.member }, request.other];
    const by = await voucher(ctx, request, { linkId: request.linkId, version: 1, same: true, sides });
    const made = propose(request, by, isKnown, await patientOf(ctx, request.pid));
    await saveLink(ctx, allowed(made), request.salt);
  }

  @Transaction()
  async confirm(ctx: SalusContext): Promise<void> {
    const request = ctx.request(parseChangeLink);
    const link = await linkOf(ctx, request.linkId);
    const by = await voucher(ctx, request, link && changeOf(link, true));
    await saveLink(ctx, allowed(confirm(link, by, await sideSpokenFor(ctx, link, by))), request.salt);
  }

  @Transaction()
  async unlink(ctx: SalusContext): Promise<void> {
    const request = ctx.request(parseChangeLink);
    const link = await linkOf(ctx, request.linkId);
    const by = await voucher(ctx, request, link && changeOf(link, false));
    await saveLink(ctx, allowed(end(link, by, await sideSpokenFor(ctx, link, by))), request.salt);
  }

  @Transaction()
  async 'list-codes'(ctx: SalusContext): Promise<void> {
    const request = ctx.request(parseListCodes);
    const by = await lister(ctx);
    allowed(mayList(request, by));
    for (const each of request.entries) {
      const isKnown = await exists(ctx, lookupEntryKind, by.member, each.entryId);
      const { entryId, pid, codes } = allowed(listed(each, by, isKnown, await patientOf(ctx, each.pid)));
      await saveSalted(ctx, lookupEntryKind, [by.member, entryId], { pid, codes }, request.salt);
    }
  }

  @Transaction()
  async 'purge-codes'(ctx: SalusContext): Promise<void> {
    const { erasureId, entries } = ctx.request(parsePurgeCodes);
    const { member } = ctx.caller;
    const keys = entries.map((entryId) => lookupEntryKey(member, entryId));
    allowed(announced(keys, member, await erasureOf(ctx, erasureId)));
    for (const entryId of entries) await purge(ctx, lookupEntryKind, member, entryId);
  }

  @Transaction()
  async 'new-secret'(ctx: SalusContext): Promise<void> {
    const request = ctx.request(parseNewSecret);
    const isKnown = await exists(ctx, lookupSecretKind, request.quarter);
    const made = allowed(newSecret(request, await lister(ctx), isKnown));
    await saveSalted(ctx, lookupSecretKind, [request.quarter], made, request.salt);
  }

  @Transaction()
  async 'retire-secret'(ctx: SalusContext): Promise<void> {
    const { erasureId, quarter } = ctx.request(parseRetireSecret);
    const isKnown = await exists(ctx, lookupSecretKind, quarter);
    allowed(retired(quarter, await lister(ctx), isKnown));
    allowed(announced([lookupSecretKey(quarter)], ctx.caller.member, await erasureOf(ctx, erasureId)));
    await purge(ctx, lookupSecretKind, quarter);
  }

  @Transaction(false)
  @Returns('string')
  async secret(ctx: SalusContext): Promise<string> {
    const { quarter } = ctx.request(parseReadSecret);
    const known = await load(ctx, lookupSecretKind, quarter);
    if (known === undefined) throw refuse('unknown-secret', 'the quarter has no secret');
    return canonical({ secret: known.secret });
  }

  @Transaction(false)
  @Returns('string')
  async read(ctx: SalusContext): Promise<string> {
    const { pid } = ctx.request(parseRead);
    const patient = await patientOf(ctx, pid);
    if (patient === undefined) throw refuse('unknown-patient', 'no patient has this pid');
    const view: PatientView = { patient, keys: await list(ctx, patientKeyKind, pid) };
    return canonical(view);
  }
}

async function saveKey(ctx: SalusContext, key: PatientKey, salt: string): Promise<void> {
  await saveSalted(ctx, patientKeyKind, [key.pid, key.custodian, key.jwk.kid], key, salt);
}

async function replace(ctx: SalusContext, { pid, salt }: RegisterKey, kid: string): Promise<void> {
  const known = await load(ctx, patientKeyKind, pid, ctx.caller.member, kid);
  await saveKey(ctx, allowed(replacedKey(known, ctx.now)), salt);
}

async function registrar(ctx: SalusContext): Promise<Registrar> {
  const { member } = ctx.caller;
  return { member, role: ctx.actor.role, isHospital: await hasRole(ctx, member, 'hospital') };
}

async function lister(ctx: SalusContext): Promise<Lister> {
  const { member } = ctx.caller;
  return { member, isHospital: await hasRole(ctx, member, 'hospital'), quarter: quarterOf(await ctx.clock()) };
}

async function saveLink(ctx: SalusContext, link: PatientLink, salt: string): Promise<void> {
  await saveSalted(ctx, patientLinkKind, [link.linkId], link, salt);
}

/** The patient on the side of a link that is spoken for. */
async function sideSpokenFor(
  ctx: SalusContext,
  link: PatientLink | undefined,
  { word }: Voucher,
): Promise<PatientRecord | undefined> {
  const side = link && sideOf(link, word.member);
  return side && (await patientOf(ctx, side.pid));
}

/** A word on a link, and the two patients it is about. */
interface Said extends Omit<LinkSaid, 'patients'> {
  readonly sides: readonly Pick<LinkSide, 'pid' | 'custodian'>[];
}

function changeOf(link: PatientLink, same: boolean): Said {
  return { linkId: link.linkId, version: nextVersion(link), same, sides: link.sides };
}

async function voucher(
  ctx: SalusContext,
  request: LinkPatients | ChangeLink,
  said: Said | undefined,
): Promise<Voucher> {
  const { member: submitter } = ctx.caller;
  const { user, role } = ctx.actor;
  const { statement } = request;
  const member = ('side' in request ? request.side : undefined) ?? submitter;
  const signed = { ...(statement !== undefined && { statement }), ...(member !== submitter && { via: submitter }) };
  const problem = said && (await problemOf(ctx, statement, member, said));
  const isHospital = await hasRole(ctx, submitter, 'hospital');
  return { word: { member, user, role, at: ctx.now, ...signed }, submitter, isHospital, problem };
}

/** What keeps a word from counting for a side: its statement, or that it has none and is another custodian's to give. */
async function problemOf(
  ctx: SalusContext,
  statement: string | undefined,
  custodian: string,
  { sides, ...said }: Said,
): Promise<string | undefined> {
  if (statement === undefined)
    return custodian === ctx.caller.member ? undefined : 'for another side there must be one';
  const own = sides.find((side) => side.custodian === custodian);
  if (own === undefined) return 'the link has no such side';
  const patients = await patientsOf(ctx, sides);
  const problem = linkStatementProblem(statement, { ...said, patients }, ctx.channel);
  return problem ?? (await signerProblem(ctx, statement, own));
}

/** FHIR ids at the custodians, as far as the ledger knows the patients. */
async function patientsOf(ctx: SalusContext, sides: Said['sides']): Promise<LinkSaid['patients']> {
  const patients: { custodian: string; patient: string | undefined }[] = [];
  for (const { pid, custodian } of sides) {
    const patient = await patientOf(ctx, pid);
    patients.push({ custodian, patient: patient?.custodians[custodian]?.patientId });
  }
  return patients;
}

async function signerProblem(
  ctx: SalusContext,
  statement: string,
  { pid, custodian }: Said['sides'][number],
): Promise<string | undefined> {
  const kid = linkStatementHeader(statement)?.kid ?? '';
  const key = await load(ctx, patientKeyKind, pid, custodian, kid);
  return keyProblem(statement, key, key?.until === undefined ? undefined : await ctx.clock());
}
