/** What a read costs while the channel holds few consents, and while it holds many of other patients. */
import { glucose, laboratoryForNorthside, patient } from '../story/people.js';
import type { TestNetwork } from '../support/network.js';
import { measure } from './meter.js';
import type { Ratio } from './report.js';

/** Consents in the channel at the first look, and at the second. */
const FEW = 10;
const MANY = 10_000;
/** Consents of one of the other patients; those of one patient are written one after the other. */
const EACH = 100;
/** Patients whose consents are written at once. */
const AT_ONCE = 16;

/** Local and remote reads of one patient: p50 with many consents in the channel over p50 with few. */
export async function flatReads(network: TestNetwork, many = MANY): Promise<Ratio[]> {
  const tokens = {
    adams: await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' }),
    baker: await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' }),
    officer: await network.token({ member: 'stmary', user: 'po-1', role: 'privacy-officer' }),
  };
  const created = async (body: object, token: string): Promise<{ id: string; block: string }> => {
    const { resourceType } = body as { resourceType: string };
    const answer = await network.ask('stmary', resourceType, { token, body });
    if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`);
    return { id: String(answer.body.id), block: answer.headers.get('x-block') ?? '' };
  };
  const filled = async (count: number): Promise<void> => {
    const { id } = await created(patient, tokens.adams);
    for (let made = 0; made < count; made += 1) await created(laboratoryForNorthside(id), tokens.officer);
  };
  const { id } = await created(patient, tokens.adams);
  await created(glucose(id, 5), tokens.adams);
  const { block } = await created(laboratoryForNorthside(id), tokens.officer);
  const looked = async (): Promise<readonly number[]> => {
    const p50s: number[] = [];
    for (const [member, token, count] of [
      ['stmary', tokens.adams, 400] as const,
      ['northside', tokens.baker, 60] as const,
    ]) {
      const run = async (): Promise<void> => {
        const headers = { 'x-min-block': block };
        const { body, text } = await network.ask(member, `Observation?patient=${id}`, { token, headers });
        if (!body.entry?.some(({ resource }) => resource?.resourceType === 'Observation')) throw new Error(text);
      };
      p50s.push((await measure({ name: member, concurrency: 1, count, run }, {})).p50);
    }
    return p50s;
  };
  await filled(FEW - 1);
  // A process that has just started answers slower than it does later: the first look is not counted.
  await looked();
  const few = await looked();
  for (let left = many - FEW; left > 0; left -= EACH * AT_ONCE) {
    const patients = Math.min(AT_ONCE, Math.ceil(left / EACH));
    await Promise.all(Array.from({ length: patients }, () => filled(EACH)));
  }
  const then = await looked();
  return ['local search', 'remote read'].map((what, index) => ({
    what: `${what}, ${many} consents in the channel / ${FEW}, p50`,
    value: (then[index] ?? NaN) / (few[index] ?? NaN),
    aim: '<= 1.2',
  }));
}
