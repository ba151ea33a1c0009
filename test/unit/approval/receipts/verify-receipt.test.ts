import { describe, expect, it } from 'vitest';
import { proposalDigest } from '../../../../src/approval/details.ts';
import { signCheckpoint } from '../../../../src/approval/receipts/checkpoint.ts';
import { ReceiptError, receiptPayload, receiptText } from '../../../../src/approval/receipts/receipt-form.ts';
import { deriveReceiptKey, type ReceiptKey } from '../../../../src/approval/receipts/receipt-key.ts';
import { verifyReceipt } from '../../../../src/approval/receipts/verify-receipt.ts';
import { toLineValues } from '../../../../src/store/audit.ts';
import { appendToTiles, inclusionRanges, leafHash, rangeHasher } from '../../../../src/store/merkle-tree.ts';
import type { Receipt, SignedApproval, UnsignedReceipt } from '../../../../src/trading/receipt.ts';
import { computeWorstCase } from '../../../../src/trading/worst-case.ts';
import { sentNotes } from '../../../fixtures/receipt-sources.ts';
import { draft } from '../../gateway/policy/sound-order.ts';
import type { Authenticator } from '../signature/authenticator.ts';
import { ADDRESS, authenticatorOf, detailsOf, START, signed } from '../signature/signing-world.ts';

const AT = new Date(START).toISOString();
const people = { alice: authenticatorOf(), carol: authenticatorOf() };
type Name = keyof typeof people;

const order = { ...draft, expires_at: '2026-11-25T14:35:00Z' };
const statement = {
  kind: 'order' as const,
  subject: order,
  worst_case: computeWorstCase(order),
  provenance: null,
  requested_by: null,
  client: 'trade-agent',
  policy: 'R'.repeat(43),
};
const proposal: Receipt['proposal'] = {
  ...statement,
  ...{ id: 'pr_0123456789abcdef', sub: 'alice', code: '7K3M', nonce: 'AAAAAAAAAAAAAAAAAAAAAA' },
  ...{ digest: proposalDigest(statement), created_at: AT },
};

function approvalOf(sub: Name): SignedApproval {
  const authenticator: Authenticator = people[sub];
  const { method: _, ...evidence } = signed(
    authenticator,
    detailsOf({ ...statement, digest: proposal.digest }),
    {},
    sub,
  );
  return {
    sub,
    evidence: { method: 'webauthn', ...evidence },
    origin: ADDRESS,
    rp_id: 'localhost',
    key: {
      credential_id: authenticator.credentialId,
      public_key: Buffer.from(authenticator.publicKey).toString('base64url'),
      algorithm: authenticator.algorithm,
      ...{ method: 'webauthn', device_type: 'singleDevice', name: 'phone', enrolled_at: AT },
    },
  };
}

/** The record of an order that these people's keys signed before it was sent. */
function recordOf(key: ReceiptKey, signers: readonly Name[]): Pick<Receipt, 'record' | 'checkpoint'> {
  const all = sentNotes(proposal, [
    ['alice', people.alice],
    ['carol', people.carol],
  ]);
  const told = all.filter(({ event, facts }) => event !== 'signed' || signers.includes(facts.sub as Name));
  const lines = told.map((note) => toLineValues(note, START).line);
  const size = lines.length;
  const hashOf = rangeHasher(appendToTiles(0, [], lines.map(leafHash)));
  const proof = (leaf: number) => inclusionRanges(leaf, size).map((range) => hashOf(range).toString('base64'));
  return {
    record: lines.map((line, leaf) => ({ leaf, line, proof: proof(leaf) })),
    checkpoint: signCheckpoint(key, { origin: ADDRESS, size, root: hashOf([0, size]) }),
  };
}

/** A receipt of an order that alice and carol approved. @param signers whose signatures the record tells of */
function receiptOf(key: ReceiptKey, signers: readonly Name[]): string {
  const unsigned: UnsignedReceipt = {
    type: 'trade-agent.receipt',
    v: 1,
    gateway: ADDRESS,
    issued_at: AT,
    state: 'unknown',
    proposal,
    approvals: [approvalOf('alice'), approvalOf('carol')],
    mandate: null,
    decision: null,
    orders: [
      {
        ...{ client_order_id: order.client_order_id, order, state: 'unknown', submissions: 1 },
        ...{ submitted_at: AT, answered: null, problem: null },
      },
    ],
    ...recordOf(key, signers),
  };
  return receiptText({ ...unsigned, signature: key.sign(receiptPayload(unsigned)) });
}

async function faultOf(signers: readonly Name[]): Promise<string> {
  const key = await deriveReceiptKey('of the gateway');
  try {
    await verifyReceipt(receiptOf(key, signers), (thumbprint) => thumbprint === key.jwk.kid);
    return 'holds';
  } catch (error) {
    if (error instanceof ReceiptError) return error.fault;
    throw error;
  }
}

describe('a receipt of an order that two people approved', () => {
  it('holds if the record tells of both signatures', async () => {
    expect(await faultOf(['alice', 'carol'])).toBe('holds');
  });

  it.each<[Name, Name]>([
    ['alice', 'carol'],
    ['carol', 'alice'],
  ])('is refused if the record tells of the signature of %s alone, not of %s', async (signer) => {
    expect(await faultOf([signer])).toBe('record');
  });
});
