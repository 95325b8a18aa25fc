/** What a member's door hears of trials: wishes for an arm, contents of data points, wishes for a form, for a study definition, for names of who signed. */
import type { Blocks } from '../door/committed.js';
import type { Heard } from '../door/server.js';
import { type KeepPorts, keeper } from '../ehr/keep.js';
import { agreeing } from '../ledger/agreeing.js';
import type { Ledger } from '../ports.js';
import { armsHeard } from './arm.js';
import type { ContentFacts } from './content.js';
import { documentsHeard } from './documents.js';
import { formsHeard } from './forms.js';
import { contentsHeard } from './hand-over.js';
import { namesHeard } from './names.js';

/** Everything by its path. */
export function trialsHeard(
  rooms: KeepPorts & {
    readonly settings: { readonly mspId: string };
    readonly ledger: Pick<Ledger, 'submit' | 'evaluate'>;
    readonly projection: ContentFacts & Blocks;
  },
): Readonly<Record<string, Heard>> {
  const { settings, projection: facts } = rooms;
  const ledger = agreeing(rooms.ledger, settings.mspId);
  const contents = contentsHeard({ member: settings.member, ledger, facts, blocks: facts, keep: keeper(rooms) });
  const kept = { ...formsHeard({ ledger, facts }), ...documentsHeard({ ledger, facts }), ...namesHeard(ledger, facts) };
  return { ...armsHeard(ledger), ...contents, ...kept };
}
