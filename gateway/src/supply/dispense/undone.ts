/** An undone dispense in the record, whoever undid it beside FHIR. */
import type { Fhir } from '../../fhir/request.js';
import type { Actor } from '../../ports.js';
import type { PackActs } from '../packs/acts.js';
import { Answered, markUndone, recordsOf } from './desk.js';

type Carrying = Pick<PackActs, 'carry'>;

/** Acts after which the MedicationDispense of each pack whose dispense was undone says so, as far as whoever asked may write it. */
export function recordingUndone(acts: Carrying, fhir: Fhir): Carrying {
  return {
    carry: async (actor, step, way) => {
      const outcomes = await acts.carry(actor, step, way);
      const isUndo = step.kind === 'act' && step.act === 'undo';
      const undone = outcomes.flatMap(({ state, epc }) =>
        isUndo && state === 'done' && epc !== undefined ? [epc] : [],
      );
      for (const epc of undone) await record(fhir, actor, epc);
      return outcomes;
    },
  };
}

async function record(fhir: Fhir, actor: Actor, epc: string): Promise<void> {
  const asking = { fhir, request: { actor } };
  try {
    await markUndone(asking, await recordsOf(asking, epc, ['completed']));
  } catch (error) {
    // The act stands all the same; who has no part in the record does not change it.
    if (!(error instanceof Answered)) throw error;
  }
}
