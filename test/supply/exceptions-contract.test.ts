import { random } from '../support/contract-world.js';
import { call, freshDesk, operator, regulator, sealed } from './world.js';

describe('an exception of a shipment on the ledger', () => {
  const desk = freshDesk();
  const submit = (member: string, verb: string, request: object) =>
    desk.world.submit(member, `supply:${verb}`, call(request));
  const refused = (code: string, member: string, verb: string, request: object, actor: object = operator) =>
    desk.world.refused(code, member, `supply:${verb}`, call(request, actor));

  /** What stmary reports to acme. */
  const reported = async () => {
    const { salt, to } = sealed('acme');
    const exceptionId = random();
    const request = { exceptionId, kind: 'data-no-product', respondent: to, terms: random() };
    await submit('stmary', 'report', request);
    return { exceptionId, salt, request };
  };

  it('is reported by one side, answered by the other, and resolved when both say the same', async () => {
    const { exceptionId, salt, request } = await reported();
    await refused('exception-exists', 'stmary', 'report', request);
    const answer = { exceptionId, salt, answer: 'accepted', terms: random() };
    const settle = { exceptionId, resolution: 'product-delivered' };
    await refused('exception-not-answered', 'stmary', 'settle', settle);
    await submit('acme', 'answer', answer);
    await refused('exception-answered', 'acme', 'answer', answer);
    await submit('stmary', 'settle', settle);
    // Saying it twice is no second side, and another word is another proposal.
    await submit('stmary', 'settle', settle);
    await submit('acme', 'settle', { ...settle, resolution: 'withdrawn', salt });
    await submit('acme', 'settle', { ...settle, salt });
    await submit('stmary', 'settle', settle);
    await refused('exception-resolved', 'stmary', 'settle', settle);
  });

  it('is nobody’s but of its two sides, and of nobody who does not handle packs', async () => {
    const { exceptionId, salt, request } = await reported();
    const answer = { exceptionId, salt, answer: 'disputed', terms: random() };
    await refused('unknown-exception', 'northside', 'answer', answer);
    await refused('unknown-exception', 'acme', 'answer', { ...answer, salt: random() });
    await refused('unknown-exception', 'acme', 'answer', { ...answer, exceptionId: random() });
    await refused('not-yours', 'stmary', 'answer', { ...answer, salt: random() });
    const biller = { ...operator, role: 'biller' };
    await refused('not-your-role', 'stmary', 'report', { ...request, exceptionId: random() }, biller);
    await refused('not-your-role', 'acme', 'answer', answer, biller);
  });
});

describe('a regulator’s trace on the ledger', () => {
  const desk = freshDesk();

  it('is on record once, asked for by a regulator’s people alone', async () => {
    const request = { traceId: random(), terms: random() };
    const refused = (code: string, member: string, actor: object) =>
      desk.world.refused(code, member, 'supply:trace', call(request, actor));
    await refused('not-a-regulator', 'acme', regulator);
    await refused('not-a-regulator', 'authority', operator);
    await desk.world.submit('authority', 'supply:trace', call(request, regulator));
    await refused('trace-exists', 'authority', regulator);
  });
});
