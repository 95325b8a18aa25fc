/** Signatures on acts of a whole trial that are not of this act, not of this person or not of now, each refused with its code. */
import { type Attempt, type Attempts, other, reason } from './attempts.js';
import { outcomes, protocol, TRIAL } from './world.js';

/** Tries them on a trial that enrols: on a second version, a list, a document, a halt and a lock. */
export async function triesOnSignatures(attempts: Attempts): Promise<void> {
  const { world } = attempts;
  const { hash: previous } = await world.newest();
  const later = [{ ...outcomes[0]!, timeFrame: 'week 12' }, ...outcomes.slice(1)];
  const amendment = { version: 2, previous, protocol: protocol({ outcomes: later }), reason };
  await world.act('acme', 'sponsor', 'register-version', amendment);
  const { hash } = await world.newest();
  const about = { meaning: 'approve-version', subject: 'version:2', hash };
  const asked = { version: 2, hash };
  const by = async (content: object, [member, role] = ['authority', 'ethics']) => {
    return { ...asked, signature: await world.signedBy(member, role, content) };
  };
  const good = await by(about);
  const stale = { ...good.signature, signedAt: '2020-01-01T00:00:00.000Z' };
  const key = await world.delegate('authority', 'ethics');
  const elsewhere = key.sign({ channel: 'other', trial: TRIAL, ...about, signedAt: good.signature.signedAt });
  const approves = (what: string, code: string, request: object): Attempt => {
    return [what, code, 'authority', 'ethics', 'approve-version', request];
  };
  await attempts.all([
    approves('approves without a signature', 'invalid-request', asked),
    approves('a signature of the version before', 'signature-invalid', await by({ ...about, hash: previous })),
    approves('a signature of another version', 'signature-invalid', await by({ ...about, subject: 'version:1' })),
    approves('a signature of another meaning', 'signature-invalid', await by({ ...about, meaning: 'sign-version' })),
    approves('a signature of another channel', 'signature-invalid', {
      ...{ ...asked, signature: { ...good.signature, statement: elsewhere } },
    }),
    approves('another printed name', 'signature-invalid', { ...asked, signature: { ...good.signature, name: other } }),
    approves('a backdated approval', 'signature-invalid', { ...asked, signature: stale }),
    approves('with the key of another role', 'not-delegated', await by(about, ['authority', 'regulator'])),
    approves('with the key of another member', 'not-delegated', await by(about, ['acme', 'sponsor'])),
    ['the sponsor by the approval', 'not-delegated', 'acme', 'sponsor', 'sign-version', good],
    [
      'the sponsor by a key of its monitor',
      'not-delegated',
      'acme',
      'sponsor',
      'sign-version',
      await by(about, ['acme', 'monitor']),
    ],
  ]);
  await world.act('authority', 'ethics', 'approve-version', good);
  await world.act('authority', 'regulator', ...(await world.approvalOf(2, 'authority', 'regulator')));
  const halt = await world.boardAct('halt', reason);
  const numbers = { root: other, points: 0, acts: 0 };
  const lock = await world.lockOf(numbers);
  await attempts.all([
    ['in force unsigned by the sponsor', 'not-approved', 'acme', 'sponsor', 'activate-version', { version: 2 }],
    ['halts for another reason', 'signature-invalid', 'tally', 'board', 'halt', { ...halt, reason: 'another' }],
    ['halts by a lock', 'not-delegated', 'tally', 'board', 'halt', { ...halt, signature: lock.signature }],
    ['locks another root', 'signature-invalid', 'tally', 'cro', 'lock', { ...lock, root: '3'.repeat(64) }],
    ['locks unsigned', 'invalid-request', 'tally', 'cro', 'lock', { ...numbers, reason }],
  ]);
  await world.document(2);
  const [document, translations] = [{ version: 3, optionalParts: [] }, [{ language: 'en', hash: other }]];
  await world.act('acme', 'sponsor', 'publish-document', { ...document, translations });
  const third = (await world.view()).documents.at(-1)?.hash;
  const adopts = { version: 3, hash: third };
  const moved = await world.signedBy('authority', 'ethics', { meaning: 'adopt-document', ...adopts, version: 2 });
  await attempts.all([
    [
      'adopts by a signature of another',
      'signature-invalid',
      'authority',
      'ethics',
      'adopt-document',
      { ...adopts, signature: moved },
    ],
  ]);
  await world.act('authority', 'ethics', 'end-delegation', { kid: key.kid });
  const [, ended] = await world.approvalOf(1, 'authority', 'ethics');
  const after = await world.signedBy('authority', 'ethics', { meaning: 'adopt-document', ...adopts });
  await attempts.all([
    [
      'whose delegation ended',
      'not-delegated',
      'authority',
      'ethics',
      'adopt-document',
      { ...adopts, signature: after },
    ],
    ['approves again', 'already-approved', 'authority', 'ethics', 'approve-version', ended],
  ]);
}
