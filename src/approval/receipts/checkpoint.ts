import canonicalize from 'canonicalize';
import { z } from 'zod';
import type { AuditHead, AuditNote } from '../../store/audit.ts';
import { type ReceiptJwk, type ReceiptKey, verifyDetachedSignature } from './receipt-key.ts';

/** A type of its own (RFC 7515 §4.1.9), so that a receipt's signature is never accepted as a checkpoint's. */
const CHECKPOINT_TYPE = 'trade-agent-checkpoint+jws';

const hash = z.string().regex(/^[0-9a-f]{64}$/);

/** A checkpoint line of the audit log: the signed members, and the members that every line has. */
const checkpointSchema = z.lazy(() =>
  z.strictObject({
    seq: z.int(),
    at: z.iso.datetime(),
    event: z.literal('checkpoint'),
    prev: hash,
    hash,
    /** The gateway's resource identifier. */
    gateway: z.string(),
    /** The UTC day that the checkpoint closes. */
    day: z.iso.date(),
    /** Number of lines before the checkpoint, and the hash of the last of them. */
    lines: z.int(),
    head: hash,
    /** The hash of the previous checkpoint; zeros in the first checkpoint. */
    previous: hash,
    signature: z.strictObject({ protected: z.string(), signature: z.string() }),
  }),
);
export type Checkpoint = z.output<typeof checkpointSchema>;

/**
 * Returns a function that makes and signs the checkpoint line of a day. Call the function in the transaction that stores
 * the line, so that no other line can be inserted before it.
 */
export function createCheckpointSigner(
  key: ReceiptKey,
  gateway: string,
  day: string,
): (head: AuditHead, previous: string) => AuditNote {
  return (head, previous) => {
    const facts = { gateway, day, lines: head.seq, head: head.hash, previous };
    const signature = key.sign(checkpointPayload(facts), CHECKPOINT_TYPE);
    return { event: 'checkpoint', facts: { ...facts, signature } };
  };
}

/**
 * Verifies a checkpoint without the rest of the audit log.
 * @returns the checkpoint and its signer; undefined if the line is not a checkpoint, or was changed after it was signed
 */
export async function verifyCheckpoint(
  line: unknown,
): Promise<{ readonly checkpoint: Checkpoint; readonly signer: ReceiptJwk } | undefined> {
  const checkpoint = checkpointSchema.safeParse(line).data;
  if (checkpoint === undefined) return undefined;
  // A checkpoint is valid only at its own position in the audit log.
  if (checkpoint.lines !== checkpoint.seq - 1 || checkpoint.head !== checkpoint.prev) return undefined;
  const signer = await verifyDetachedSignature(checkpoint.signature, checkpointPayload(checkpoint), CHECKPOINT_TYPE);
  return signer && { checkpoint, signer };
}

function checkpointPayload({
  gateway,
  day,
  lines,
  head,
  previous,
}: Pick<Checkpoint, 'gateway' | 'day' | 'lines' | 'head' | 'previous'>): string {
  return canonicalize({ type: 'trade-agent.checkpoint', v: 1, gateway, day, lines, head, previous }) ?? '';
}
