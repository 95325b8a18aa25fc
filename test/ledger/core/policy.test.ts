import assert from 'node:assert/strict';
import type { common } from '@hyperledger/fabric-protos';
import type { ConfiguredChannel } from '@salus/network/embedded/channel/channel';
import { FabricError, type SignedData, type Signer } from '@salus/network/embedded/ports';
import { Authority, type NodeRole } from '@salus/network/identity/authority';
import { createSigner } from '@salus/network/identity/signer';
import {
  implicit,
  rolePrincipal,
  signaturePolicy,
  signedBy,
  testChannel,
  type Rule,
} from '../../support/channel-config.js';

const MSPS = ['Org1MSP', 'Org2MSP', 'Org3MSP', 'Org4MSP'] as const;
const DATA = Buffer.from('what is signed');

describe('policies of the embedded ledger', function () {
  this.timeout(60_000);
  let channel: ConfiguredChannel;
  const authorities = new Map<string, Authority>();
  const signers = new Map<string, Signer>();

  const signer = (name: string): Signer => signers.get(name) ?? assert.fail(name);
  /** Signatures of "Org1MSP peer" and the like. */
  const signed = (...names: string[]): SignedData[] =>
    names.map((name) => ({ identity: signer(name).identity, data: DATA, signature: signer(name).sign(DATA) }));
  const refusalOf = (check: () => void): string | undefined => {
    try {
      check();
      return undefined;
    } catch (error) {
      assert.ok(error instanceof FabricError);
      return error.message;
    }
  };
  const satisfies = (policy: common.SignaturePolicyEnvelope, data: SignedData[]): boolean =>
    refusalOf(() => {
      channel.checkSignaturePolicy(Buffer.from(policy.serializeBinary()), data);
    }) === undefined;
  const peers = (rule: Rule): common.SignaturePolicyEnvelope =>
    signaturePolicy(
      rule,
      MSPS.map((mspId) => rolePrincipal(mspId, 'PEER')),
    );

  before(async () => {
    for (const mspId of MSPS) {
      const authority = await Authority.create({ organisation: mspId, name: 'ca' });
      authorities.set(mspId, authority);
      for (const role of ['peer', 'client', 'admin'] as NodeRole[]) {
        const { certificate, key } = await authority.identity({ organisation: mspId, name: role }, role);
        signers.set(`${mspId} ${role}`, createSigner(mspId, certificate, key));
      }
    }
    channel = testChannel(
      MSPS.map((mspId) => ({
        mspId,
        authority: authorities.get(mspId)!,
        // The last organisation lacks the policy, and still counts.
        policies: mspId === 'Org4MSP' ? {} : { Endorsement: signedBy(rolePrincipal(mspId, 'PEER')) },
      })),
      {
        Any: implicit('ANY', 'Endorsement'),
        All: implicit('ALL', 'Endorsement'),
        Majority: implicit('MAJORITY', 'Endorsement'),
      },
    );
  });

  it('count n of their rules', () => {
    const twoOfFour = peers({ n: 2, of: [0, 1, 2, 3] });
    assert.equal(satisfies(twoOfFour, signed('Org1MSP peer', 'Org3MSP peer')), true);
    assert.equal(satisfies(twoOfFour, signed('Org1MSP peer')), false);
    assert.equal(satisfies(twoOfFour, signed('Org1MSP peer', 'Org2MSP client')), false);
    assert.equal(satisfies(peers({ n: 0, of: [] }), []), true);
    const nested = peers({ n: 2, of: [0, { n: 1, of: [1, 2] }] });
    assert.equal(satisfies(nested, signed('Org3MSP peer', 'Org1MSP peer')), true);
    assert.equal(satisfies(nested, signed('Org3MSP peer', 'Org2MSP peer')), false);
  });

  it('count an identity once, and drop what is malformed or badly signed', () => {
    const policy = peers({ n: 2, of: [0, 0] });
    assert.equal(satisfies(policy, signed('Org1MSP peer', 'Org1MSP peer')), false);
    const [good, bad] = signed('Org1MSP peer', 'Org2MSP peer') as [SignedData, SignedData];
    const both = peers({ n: 2, of: [0, 1] });
    assert.equal(satisfies(both, [good, { ...bad, signature: good.signature }]), false);
    assert.equal(satisfies(both, [{ ...bad, identity: Buffer.from('x') }, good, bad]), true);
  });

  it('are evaluated greedily in the order of the signatures, without looking back', () => {
    const overlapping = signaturePolicy({ n: 2, of: [0, 1] }, [
      rolePrincipal('Org1MSP', 'MEMBER'),
      rolePrincipal('Org1MSP', 'PEER'),
    ]);
    assert.equal(satisfies(overlapping, signed('Org1MSP peer', 'Org1MSP client')), false);
    assert.equal(satisfies(overlapping, signed('Org1MSP client', 'Org1MSP peer')), true);
  });

  it('over organisations say how many were satisfied', () => {
    const text = (satisfied: number, needed: number): string =>
      `implicit policy evaluation failed - ${satisfied} sub-policies were satisfied, ` +
      `but this policy requires ${needed} of the 'Endorsement' sub-policies to be satisfied`;
    const check = (name: string, ...by: string[]): string | undefined =>
      refusalOf(() => {
        channel.check(`/Channel/Application/${name}`, signed(...by));
      });
    assert.equal(check('Any', 'Org2MSP peer'), undefined);
    assert.equal(check('Any', 'Org2MSP client'), text(0, 1));
    assert.equal(check('Majority', 'Org1MSP peer', 'Org2MSP peer', 'Org3MSP peer'), undefined);
    assert.equal(check('Majority', 'Org1MSP peer', 'Org2MSP peer', 'Org4MSP peer'), text(2, 3));
    assert.equal(check('All', 'Org1MSP peer', 'Org2MSP peer', 'Org3MSP peer', 'Org4MSP peer'), text(3, 4));
    assert.equal(check('Nope', 'Org1MSP peer'), 'policy /Channel/Application/Nope not found');
  });

  it('of one signature say no more than that', () => {
    const refusal = refusalOf(() => {
      channel.check('/Channel/Application/Org1MSP/Endorsement', signed('Org2MSP peer'));
    });
    assert.equal(refusal, 'signature set did not satisfy policy');
  });

  it('over organisations are the same when written as signatures', () => {
    const [majority, none] = [channel.signaturePolicy('/Channel/Application/Majority'), [] as SignedData[]];
    const satisfied = (data: SignedData[]): boolean =>
      refusalOf(() => {
        channel.checkSignaturePolicy(majority, data);
      }) === undefined;
    assert.equal(satisfied(signed('Org1MSP peer', 'Org2MSP peer', 'Org3MSP peer')), true);
    assert.equal(satisfied(signed('Org1MSP peer', 'Org2MSP peer')), false);
    assert.equal(satisfied(none), false);
  });
});
