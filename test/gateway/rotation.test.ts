import assert from 'node:assert/strict';

import { Retriable } from '@salus/gateway/ledger/failure';
import { Refusal } from '@salus/gateway/ledger/refusal';
import { Rotation } from '@salus/gateway/ledger/rotation';

import { ScriptedSteps } from '../support/scripted-steps.js';

const call = { transaction: 'ehr:write' };

describe("a member's own peers", () => {
  function peers(count: number) {
    const steps = Array.from({ length: count }, () => new ScriptedSteps());
    const connection = {
      gateway: undefined as never,
      tlsClientCertificateHash: Buffer.alloc(0),
      close: () => undefined,
    };
    return { steps, rotation: new Rotation(steps.map((each) => ({ connection, steps: each }))) };
  }

  function away(steps: ScriptedSteps): void {
    steps.endorser = () => {
      throw new Retriable('unavailable');
    };
  }

  it('serve one for the other when one is away', async () => {
    const { steps, rotation } = peers(2);
    away(steps[0]!);
    await rotation.endorse(call);
    await rotation.endorse(call);
    assert.deepEqual([steps[0]!.calls.length, steps[1]!.calls.length], [1, 2]);
  });

  it('are each asked once when all are away', async () => {
    const { steps, rotation } = peers(3);
    steps.forEach(away);
    await assert.rejects(rotation.endorse(call), Retriable);
    assert.deepEqual(
      steps.map(({ calls }) => calls.length),
      [1, 1, 1],
    );
  });

  it('are not asked again when one refuses', async () => {
    const { steps, rotation } = peers(2);
    steps[0]!.endorser = () => {
      throw new Refusal('conflict', 'version-conflict', 'not the next');
    };
    await assert.rejects(rotation.endorse(call), Refusal);
    assert.equal(steps[1]!.calls.length, 0);
  });
});
