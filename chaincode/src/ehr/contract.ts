import { Returns, Transaction } from 'fabric-contract-api';
import { canonical } from '../lib/canonical';
import { SalusContext } from '../lib/context';
import { SalusContract } from '../lib/contract';
import { exists, load, purge, remove, save, saveSalted, saveSealed } from '../lib/record';
import { allowed } from '../lib/refusal';
import { parseText } from '../lib/schema';
import { events, parseAnnounce, parseErase, parseForget, parseHead, parseWrite } from './api';
import type { Condition, HeadView, IdempotencyRecord, SharedRequest, VersionEntry } from './api';
import {
  announce,
  append,
  distinct,
  erase,
  firstUse,
  forget,
  inForce,
  requestsOf,
  stillSo,
  type Presence,
} from './rules';
import { conditionKind, erasureKind, idempotencyKind, purgeKind, resourceKind, versionPart } from './state';

/** A member's own records. */
export class EhrContract extends SalusContract {
  constructor() {
    super('ehr');
  }

  @Transaction()
  async write(ctx: SalusContext): Promise<void> {
    const request = ctx.request(parseWrite);
    const requests = allowed(requestsOf(request));
    for (const each of requests) allowed(firstUse(each, await remembered(ctx, each.idempotencyKey)));
    allowed(distinct(request.entries));
    for (const entry of request.entries) {
      const { key, version, value } = allowed(append(await presence(ctx, entry)));
      await saveSealed(ctx, resourceKind, [key, versionPart(version)], value);
    }
    for (const condition of request.conditions ?? []) await decide(ctx, condition, request.salt);
    for (const each of requests) await remember(ctx, each, request.salt);
  }

  @Transaction(false)
  @Returns('string')
  async head(ctx: SalusContext): Promise<string> {
    const { entries, idempotencyKeys } = ctx.request(parseHead);
    const there: boolean[] = [];
    for (const { key, version } of entries) there.push(await exists(ctx, resourceKind, key, versionPart(version)));
    const idempotency: (IdempotencyRecord | null)[] = [];
    for (const key of idempotencyKeys) idempotency.push((await remembered(ctx, key)) ?? null);
    const view: HeadView = { entries: there, idempotency };
    return canonical(view);
  }

  @Transaction()
  async forget(ctx: SalusContext): Promise<void> {
    const { idempotencyKeys } = ctx.request(parseForget);
    const tick = await ctx.clock();
    for (const key of idempotencyKeys) {
      allowed(forget(await load(ctx, idempotencyKind, key), tick));
      await remove(ctx, idempotencyKind, key);
    }
  }

  @Transaction()
  async 'erase-announce'(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(parseAnnounce, argument, 'erasure');
    const known = await load(ctx, erasureKind, request.erasureId);
    const record = allowed(announce(request, ctx.caller.member, known, ctx.now));
    await save(ctx, erasureKind, [request.erasureId], record);
  }

  @Transaction()
  async erase(ctx: SalusContext): Promise<void> {
    const request = ctx.request(parseErase);
    const { erasureId, part, entries, salt } = request;
    const isDone = await exists(ctx, purgeKind, erasureId, String(part));
    allowed(erase(request, ctx.caller.member, await load(ctx, erasureKind, erasureId), isDone));
    const record = { erasureId, part, keys: entries.length, purged: ctx.now };
    await saveSalted(ctx, purgeKind, [erasureId, String(part)], record, salt);
    for (const { key, version } of entries) await purge(ctx, resourceKind, key, versionPart(version));
    ctx.emit(events.erased, { erasureId, keys: entries.length });
  }
}

/** What an idempotency key stands for. The clock is read for one that was used before alone: no first use hangs on it. */
async function remembered(ctx: SalusContext, key: string): Promise<IdempotencyRecord | undefined> {
  const known = await load(ctx, idempotencyKind, key);
  return known === undefined ? undefined : inForce(known, await ctx.lastTick());
}

async function decide(ctx: SalusContext, condition: Condition, salt: string): Promise<void> {
  const { code } = condition;
  allowed(stillSo(condition, await load(ctx, conditionKind, code)));
  await saveSalted(ctx, conditionKind, [code], { txId: ctx.transactionId }, salt);
}

async function presence(ctx: SalusContext, entry: VersionEntry): Promise<Presence> {
  const { key, version } = entry;
  const isThere = await exists(ctx, resourceKind, key, versionPart(version));
  const hasPrevious = version === 1 || (await exists(ctx, resourceKind, key, versionPart(version - 1)));
  return { entry, isThere, hasPrevious };
}

async function remember(ctx: SalusContext, { idempotencyKey, digest, entries }: SharedRequest, salt: string) {
  const record: IdempotencyRecord = { digest, txId: ctx.transactionId, entries, at: ctx.now };
  await saveSalted(ctx, idempotencyKind, [idempotencyKey], record, salt);
}
