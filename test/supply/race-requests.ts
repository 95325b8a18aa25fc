/** Sends steps on packs to members' gateways, all at the same moment. */
import { canonicalEpc } from '@salus/gateway/supply/gs1/epc';

import type { TestNetwork } from '../support/network.js';
import { party, PREFIX, type ShownEffect, tell, TradeSystem } from './packs.js';
import { type AnyStep, type HoldStep, isHold, REGULATOR } from './truth.js';

/** Acts that go with an event. */
const BY_EVENT: readonly string[] = ['ship', 'return'];
/** Acts whose other side is told by door. */
export const TOLD: readonly string[] = [...BY_EVENT, 'hand-over'];
/** Requests under way at once. */
const AT_ONCE = 32;
const PLACE = `urn:epc:id:sgln:${PREFIX}.00001.0`;

interface Said {
  readonly step: AnyStep;
  readonly effect: ShownEffect;
}

/** The requests about one lot. */
export class Requests {
  private moment = 0;

  constructor(
    private readonly network: TestNetwork,
    private readonly number: number,
  ) {}

  /** Sends all steps at once, those alike in one request, never two of one group. */
  async sent(groups: readonly (readonly AnyStep[])[]): Promise<ReadonlyMap<AnyStep, ShownEffect>> {
    const requests = new Map<string, AnyStep[]>();
    for (const steps of groups) {
      for (const [index, step] of steps.entries()) {
        const key = [index, step.member, ...alikeBy(step)];
        requests.set(key.join(' '), [...(requests.get(key.join(' ')) ?? []), step]);
      }
    }
    const waiting = [...requests.values()];
    const answers: Said[] = [];
    const system = async (): Promise<void> => {
      for (let steps = waiting.pop(); steps !== undefined; steps = waiting.pop()) {
        answers.push(...(await this.request(steps)));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, system));
    return new Map(answers.map(({ step, effect }) => [step, effect] as const));
  }

  private async request(steps: readonly AnyStep[]): Promise<readonly Said[]> {
    const epcs = steps.map(({ item }) => item);
    const effects = await this.effectsOf(steps[0] as AnyStep, epcs);
    const byEpc = new Map(effects.map((effect) => [effect.epc, effect]));
    return steps.flatMap((step) => {
      const effect = byEpc.get(canonicalEpc(step.item));
      return effect === undefined ? [] : [{ step, effect }];
    });
  }

  private async effectsOf(step: AnyStep, epcs: readonly string[]): Promise<readonly ShownEffect[]> {
    const system = new TradeSystem(this.network, step.member);
    if (isHold(step)) return await this.asked(system, roleOf(step), 'quarantines', { standing: step.standing, epcs });
    const { act, to, reason } = step;
    if (BY_EVENT.includes(act)) return await system.capture('pharmacist', this.shipped(epcs, to, act === 'return'));
    const body = { act, epcs, to: party(to), reason, place: PLACE, supplied: 'no' };
    return await this.asked(system, 'pharmacist', 'acts', body);
  }

  private async asked(system: TradeSystem, role: string, path: string, body: object): Promise<readonly ShownEffect[]> {
    const { status, text, body: answer } = await system.ask(role, path, body);
    if (status !== 200) throw new Error(`${status} ${text}`);
    return answer['effects'] as readonly ShownEffect[];
  }

  /** Events of one instant are one event: each has its own. */
  private shipped(epcs: readonly string[], to: string, isReturn: boolean): object {
    this.moment += 1;
    const eventTime = new Date(
      Date.parse('2026-03-04T00:00:00Z') + this.number * 3_600_000 + this.moment,
    ).toISOString();
    return { ...tell.shipped(epcs, to), eventTime, ...(isReturn ? { disposition: 'returned' } : {}) };
  }
}

/** Who releases. */
function roleOf({ member }: HoldStep): string {
  return member === REGULATOR ? 'regulator' : 'quality-officer';
}

/** What steps of one request have in common. */
function alikeBy(step: AnyStep): readonly string[] {
  if (isHold(step)) return [step.standing];
  const { act, to, reason } = step;
  return [act, TOLD.includes(act) ? to : '', act === 'decommission' ? reason : ''];
}
