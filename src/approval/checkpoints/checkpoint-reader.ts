import { hash } from 'node:crypto';
import type { RecordFault } from '../../trading/record-line.ts';
import { DAY_MS } from '../../values/durations.ts';
import { type Checkpoint, findCheckpointSigner, parseCheckpoint } from '../receipts/checkpoint.ts';
import type { ReceiptJwk } from '../receipts/receipt-key.ts';
import type { AnchorKind, Attestation, VerifyAnchor } from './anchor.ts';

/** The verifier of each kind of anchor, loaded only when an audit log contains a token of that kind. */
const anchorVerifiers: Readonly<Record<AnchorKind, () => Promise<VerifyAnchor>>> = {
  rfc3161: async () => (await import('./time-stamp-token.ts')).verifyTimeStampToken,
};

/**
 * An anchor is late if its time stamp is more than this many milliseconds after the start of its checkpoint's day. An
 * authority that was unreachable should have recovered by then. The later the time stamp, the less it proves.
 */
const LATE_ANCHOR_MS = 3 * DAY_MS;

export interface CheckpointSummary {
  /** Number of days that have been closed by a checkpoint. */
  readonly checkpoints: number;
  readonly last: { readonly size: number; readonly day: string | null; readonly checkpoint: string } | null;
  readonly anchors: {
    readonly count: number;
    /** Number of anchors whose certificate chain does not end in a certificate that the reader trusts. */
    readonly unvouched: number;
    /** Number of anchors that were stamped more than three days after the start of their checkpoint's day. */
    readonly late: number;
    /** The last anchor: its checkpoint's size, its time stamp, and the authority's name. */
    readonly last: { readonly size: number; readonly time: string; readonly by: string } | null;
  };
}

export interface CheckpointReader {
  /**
   * Verifies the signatures of an audit log's checkpoints. Call it before the other methods.
   * @returns the first fault, and the size of the checkpoint that has it
   */
  open(notes: readonly string[]): { readonly what: 'checkpoint' | 'signer'; readonly size: number } | undefined;
  /** Returns whether a tree of this size with this root is consistent with the checkpoints of the same size. */
  matches(size: number, root: () => Buffer): boolean;
  /** Returns whether the audit log contains the checkpoint that was saved earlier. True if none was saved. */
  hasKept(): boolean;
  /** Verifies the time stamp in the next line, if the line has one. All earlier lines must be intact. */
  check(line: string): Promise<Extract<RecordFault, 'anchor'> | undefined>;
  summary(): CheckpointSummary;
}

export interface CheckpointReaderOptions {
  /** The gateway's keys that the reader trusts. */
  readonly keys: readonly ReceiptJwk[];
  /** A checkpoint that was saved earlier, which the audit log must contain. */
  readonly kept?: Checkpoint | undefined;
  /**
   * PEM certificates in which an authority's chain must end; any other chain is a fault. If undefined, uses Node's root
   * certificates, and only counts other chains as `unvouched`.
   */
  readonly trustedAuthorities?: readonly string[] | undefined;
}

/** Returns the hash of a checkpoint's signed text, which an authority timestamps. */
export function checkpointDigest({ text }: Checkpoint): Buffer {
  return hash('sha256', text, 'buffer');
}

export function createCheckpointReader({ keys, kept, trustedAuthorities }: CheckpointReaderOptions): CheckpointReader {
  const bySize = new Map<number, Checkpoint[]>();
  let hasKept = kept === undefined;
  let origin: string | undefined;
  let days = 0;
  let last: CheckpointSummary['last'] = null;
  const found = { count: 0, unvouched: 0, late: 0, last: null as CheckpointSummary['anchors']['last'] };

  const remember = (checkpoint: Checkpoint, note: string): void => {
    const { size, day } = checkpoint;
    bySize.set(size, [...(bySize.get(size) ?? []), checkpoint]);
    if (day !== undefined) days += 1;
    if (last === null || size >= last.size) last = { size, day: day ?? null, checkpoint: note };
  };
  const checkAnchor = async (line: Readonly<Record<string, unknown>>): Promise<'anchor' | undefined> => {
    const { size, checkpoint_hash: digest, anchor, token, time } = line;
    const about = bySize.get(Number(size))?.find((one) => checkpointDigest(one).toString('hex') === digest);
    if (about?.day === undefined) return 'anchor';
    const vouched = await verifyAttestation(anchor, token, checkpointDigest(about), trustedAuthorities);
    if (vouched === undefined || new Date(vouched.at).toISOString() !== time) return 'anchor';
    if (!vouched.isTrusted && trustedAuthorities !== undefined) return 'anchor';
    found.count += 1;
    if (!vouched.isTrusted) found.unvouched += 1;
    if (vouched.at > Date.parse(about.day) + LATE_ANCHOR_MS) found.late += 1;
    found.last = { size: about.size, time, by: vouched.by };
    return undefined;
  };
  return {
    open(notes) {
      for (const note of notes) {
        const checkpoint = parseCheckpoint(note);
        origin ??= checkpoint?.origin;
        if (checkpoint === undefined || checkpoint.origin !== origin)
          return { what: 'checkpoint', size: checkpoint?.size ?? 0 };
        if (findCheckpointSigner(checkpoint, keys) === undefined) return { what: 'signer', size: checkpoint.size };
        remember(checkpoint, note);
      }
      return undefined;
    },
    matches(size, root) {
      if (kept?.size === size) hasKept = kept.root.equals(root());
      return (bySize.get(size) ?? []).every((checkpoint) => checkpoint.root.equals(root()));
    },
    hasKept: () => hasKept,
    async check(line) {
      // Skips the parsing of all other lines, which are the vast majority.
      if (!line.includes('"event":"anchored"')) return undefined;
      const parsed = JSON.parse(line) as Readonly<Record<string, unknown>>;
      return parsed.event === 'anchored' ? await checkAnchor(parsed) : undefined;
    },
    summary: () => ({ checkpoints: days, last, anchors: { ...found } }),
  };
}

/** Returns what a token attests about a digest; undefined if the token is invalid or of an unknown kind. */
async function verifyAttestation(
  kind: unknown,
  token: unknown,
  digest: Buffer,
  trusted: readonly string[] | undefined,
): Promise<Attestation | undefined> {
  if (typeof kind !== 'string' || typeof token !== 'string' || !Object.hasOwn(anchorVerifiers, kind)) return undefined;
  const bytes = Buffer.from(token, 'base64url');
  if (bytes.toString('base64url') !== token) return undefined;
  const verify = await anchorVerifiers[kind as AnchorKind]();
  // A parser may throw anything for bytes that are not a token.
  return await verify(bytes, digest, trusted).catch(() => undefined);
}
