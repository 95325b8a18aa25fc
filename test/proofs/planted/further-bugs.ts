/** Bugs of break-glass, of Bundles, of keys and of erasure. */
import type { Bug } from './bug.js';

const glass = { test: 'glass/glass.test.js', isQuick: true } as const;

export const furtherBugs: readonly Bug[] = [
  {
    name: 'break-glass has no budget',
    file: 'gateway/dist/glass/store.js',
    search: 'if (isWithin)',
    replace: 'if (true)',
    ...glass,
    title: 'yields a hostile member that harvests no more than its budget',
  },
  {
    name: 'the whole record is there in an emergency without the summary first',
    file: 'chaincode/dist/access/emergency.js',
    search: 'if (isFirst ? isSummary(request.scope) : isSecond(request, asker, emergency))',
    replace: 'if (true)',
    test: 'access/contract.test.js',
    isQuick: true,
    title: 'opens in an emergency the summary first, and more to the same clinician soon after',
  },
  {
    name: 'the door shows before it was told why',
    file: 'gateway/dist/door/admission.js',
    search: "return purpose !== 'BTG' || ",
    replace: 'return true || ',
    ...glass,
    title: 'shows nothing to who breaks it past the operation, and gives no reason',
  },
  {
    name: 'an approval is good for ever',
    file: 'gateway/dist/glass/store.js',
    search: "SET state = 'refused', review = 'approval used'",
    replace: "SET review = 'approval used'",
    ...glass,
    title: 'waits for the privacy officer beyond the budget, whose word is good once',
  },
  {
    name: 'own staff need not say why in an emergency',
    file: 'gateway/dist/consent/decision.js',
    search: 'return purpose !== BREAK_GLASS || ',
    replace: 'return true || ',
    ...glass,
    title: 'at the custodian itself opens one record to one person for a while, by reason and words',
  },
  {
    name: 'keys of look-ups are plain hashes',
    file: 'gateway/dist/keys/key-store.js',
    search: "createHmac('sha256', this.#secret(name))",
    replace: "createHmac('sha256', '')",
    test: 'keys/store.test.js',
    isQuick: true,
    title: 'make codes of look-ups that nobody else can make',
  },
  {
    name: 'a purge needs no announcement',
    file: 'chaincode/dist/ehr/rules.js',
    search: 'if (erasure.member !== member)',
    replace: 'if (false)',
    test: 'ehr/contract.test.js',
    isQuick: true,
    title: 'purges only under an erasure that the member announced',
  },
  {
    name: 'one officer erases alone',
    file: 'gateway/dist/erasure/rules.js',
    search: 'if (actor.user === asked.by.user)',
    replace: 'if (false)',
    test: 'erasure/rules.test.js',
    isQuick: true,
    title: 'is another person, and means the same basis',
  },
  {
    name: 'a purge beyond what was announced raises no alarm',
    file: 'gateway/dist/erasure/watch.js',
    search: 'else if (purges > record.keys)',
    replace: 'else if (false)',
    test: 'erasure/watch.test.js',
    isQuick: true,
    title: "raises one at a purge under another member's erasure, and at more keys than announced",
  },
];
