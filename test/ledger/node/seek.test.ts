import assert from 'node:assert/strict';
import { orderer } from '@hyperledger/fabric-protos';
import { SeekRefusal, seekRange } from '@salus/network/embedded/deliver/seek';

type Position = 'oldest' | 'newest' | 'next' | number;

function position(of: Position): orderer.SeekPosition {
  const made = new orderer.SeekPosition();
  if (of === 'oldest') made.setOldest(new orderer.SeekOldest());
  else if (of === 'newest') made.setNewest(new orderer.SeekNewest());
  else if (of === 'next') made.setNextCommit(new orderer.SeekNextCommit());
  else {
    const specified = new orderer.SeekSpecified();
    specified.setNumber(of);
    made.setSpecified(specified);
  }
  return made;
}

function range(start?: Position, stop?: Position): string {
  const info = new orderer.SeekInfo();
  if (start !== undefined) info.setStart(position(start));
  if (stop !== undefined) info.setStop(position(stop));
  try {
    const found = seekRange(info, 10);
    return `${found.start}-${found.stop}`;
  } catch (error) {
    assert.ok(error instanceof SeekRefusal);
    return String(error.status);
  }
}

describe('seek positions on a chain of ten blocks', () => {
  const cases: readonly (readonly [Position | undefined, Position | undefined, string])[] = [
    ['oldest', 'newest', '0-9'],
    ['newest', 'newest', '9-9'],
    ['oldest', 'oldest', '0-0'],
    ['next', 2 ** 53 - 1, '10-9007199254740991'],
    [3, 5, '3-5'],
    [10, 2 ** 53 - 1, '10-9007199254740991'],
    [11, 20, '404'],
    [5, 3, '400'],
    ['next', 'newest', '10-Infinity'],
    [undefined, 3, '400'],
    [3, undefined, '400'],
  ];
  for (const [start, stop, expected] of cases) {
    it(`${start} to ${stop} is ${expected}`, () => {
      assert.equal(range(start, stop), expected);
    });
  }

  it('takes the largest stop a Go client sends', () => {
    assert.equal(range(0, 2 ** 64), `0-${2 ** 64}`);
  });
});
