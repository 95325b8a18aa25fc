import assert from 'node:assert/strict';
import { common, peer } from '@hyperledger/fabric-protos';
import { content, contents, lengthDelimited, unsignedField, varint } from '@salus/network/embedded/deliver/wire';

describe('protobuf framing', () => {
  it('wraps a block as the generated message does', () => {
    const block = new common.Block();
    const header = new common.BlockHeader();
    header.setNumber(300);
    header.setDataHash(Buffer.alloc(32, 7));
    block.setHeader(header);
    const response = new peer.DeliverResponse();
    response.setBlock(block);
    assert.deepEqual(lengthDelimited(2, block.serializeBinary()), Buffer.from(response.serializeBinary()));
  });

  it('writes numbers above 32 bits', () => {
    const header = new common.BlockHeader();
    header.setNumber(2 ** 53 - 1);
    assert.deepEqual(unsignedField(1, 2 ** 53 - 1), Buffer.from(header.serializeBinary()));
    assert.deepEqual(varint(0), Buffer.from([0]));
  });

  it('cuts repeated and singular fields out of a message', () => {
    const data = new common.BlockData();
    data.setDataList([Buffer.from('one'), Buffer.alloc(200, 1), Buffer.alloc(0)]);
    const bytes = Buffer.from(data.serializeBinary());
    assert.deepEqual(
      contents(bytes, 1).map((entry) => entry.length),
      [3, 200, 0],
    );
    assert.equal(content(bytes, 9).length, 0);
  });

  it('refuses a truncated message', () => {
    const bytes = lengthDelimited(1, Buffer.from('whole'));
    assert.throws(() => contents(bytes.subarray(0, 4), 1), /truncated/);
  });
});
