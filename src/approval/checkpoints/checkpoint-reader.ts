import { EMPTY_AUDIT_HEAD } from '../../store/audit.ts';
import type { RecordFault } from '../../trading/record-line.ts';
import { DAY_MS } from '../../values/durations.ts';
import { verifyCheckpoint } from '../receipts/checkpoint.ts';
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
  readonly checkpoints: number;
  readonly last: { readonly seq: number; readonly day: string; readonly hash: string } | null;
  readonly anchors: {
    readonly count: number;
    /** Number of anchors whose certificate chain does not end in a certificate that the reader trusts. */
    readonly unvouched: number;
    /** Number of anchors that were stamped more than three days after the start of their checkpoint's day. */
    readonly late: number;
    /** The last anchor: the number of the last line that it covers, its time stamp, and the authority's name. */
    readonly last: { readonly seq: number; readonly time: string; readonly by: string } | null;
  };
}

type CheckpointFault = Extract<RecordFault, 'checkpoint' | 'signer' | 'anchor'>;

export interface CheckpointReader {
  /** Checks the next line of an audit log whose lines are intact so far. */
  check(line: Readonly<Record<string, unknown>>): Promise<CheckpointFault | undefined>;
  summary(): CheckpointSummary;
  /** Whether the audit log contains a checkpoint that someone kept a copy of. */
  has(checkpoint: { readonly seq: number; readonly hash: string }): boolean;
}

export interface CheckpointReaderOptions {
  /** Whether the reader trusts a gateway key, given its thumbprint (RFC 7638). */
  readonly isTrusted: (thumbprint: string) => boolean;
  /**
   * PEM certificates in which an authority's chain must end; any other chain is a fault. If undefined, Node's root
   * certificates are used, and any other chain is only counted as `unvouched`.
   */
  readonly trustedAuthorities?: readonly string[] | undefined;
}

export function createCheckpointReader({ isTrusted, trustedAuthorities }: CheckpointReaderOptions): CheckpointReader {
  const days = new Map<number, { readonly hash: string; readonly day: string }>();
  let previous: string = EMPTY_AUDIT_HEAD.hash;
  let last: CheckpointSummary['last'] = null;
  let gateway: string | undefined;
  const found = { count: 0, unvouched: 0, late: 0, last: null as CheckpointSummary['anchors']['last'] };

  const seeCheckpoint = async (line: unknown): Promise<CheckpointFault | undefined> => {
    const signed = await verifyCheckpoint(line);
    if (signed === undefined || signed.checkpoint.previous !== previous) return 'checkpoint';
    if (!isTrusted(signed.signer.kid)) return 'signer';
    const { seq, hash, day } = signed.checkpoint;
    gateway ??= signed.checkpoint.gateway;
    if (signed.checkpoint.gateway !== gateway) return 'checkpoint';
    days.set(seq, { hash, day });
    previous = hash;
    last = { seq, day, hash };
    return undefined;
  };
  const seeAnchor = async (line: Readonly<Record<string, unknown>>): Promise<CheckpointFault | undefined> => {
    const { checkpoint: seq, checkpoint_hash: hash, anchor, token, time } = line;
    const about = days.get(Number(seq));
    if (about === undefined || about.hash !== hash) return 'anchor';
    const vouched = await verifyAttestation(anchor, token, about.hash, trustedAuthorities);
    if (vouched === undefined || new Date(vouched.at).toISOString() !== time) return 'anchor';
    if (!vouched.isTrusted && trustedAuthorities !== undefined) return 'anchor';
    found.count += 1;
    if (!vouched.isTrusted) found.unvouched += 1;
    if (vouched.at > Date.parse(about.day) + LATE_ANCHOR_MS) found.late += 1;
    found.last = { seq: Number(seq), time, by: vouched.by };
    return undefined;
  };
  return {
    async check(line) {
      if (line.event === 'checkpoint') return await seeCheckpoint(line);
      return line.event === 'anchored' ? await seeAnchor(line) : undefined;
    },
    summary: () => ({ checkpoints: days.size, last, anchors: { ...found } }),
    has: ({ seq, hash }) => days.get(seq)?.hash === hash,
  };
}

/** Returns what a token attests about a hash; undefined if the token is invalid or of an unknown kind. */
async function verifyAttestation(
  kind: unknown,
  token: unknown,
  hash: string,
  trusted: readonly string[] | undefined,
): Promise<Attestation | undefined> {
  if (typeof kind !== 'string' || typeof token !== 'string' || !Object.hasOwn(anchorVerifiers, kind)) return undefined;
  const bytes = Buffer.from(token, 'base64url');
  if (bytes.toString('base64url') !== token) return undefined;
  const verify = await anchorVerifiers[kind as AnchorKind]();
  // A parser may throw anything for bytes that are not a token.
  return await verify(bytes, Buffer.from(hash, 'hex'), trusted).catch(() => undefined);
}
