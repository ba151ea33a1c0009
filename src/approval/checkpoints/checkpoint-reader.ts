import { NO_LINE } from '../../store/audit.ts';
import type { RecordFault } from '../../trading/record-line.ts';
import { DAY_MS } from '../../values/durations.ts';
import { signedCheckpoint } from '../receipts/checkpoint.ts';
import type { AnchorKind, VerifyAnchor, Vouched } from './anchor.ts';

/** How each kind's tokens are verified: loaded where a record has one. */
const anchors: Readonly<Record<AnchorKind, () => Promise<VerifyAnchor>>> = {
  rfc3161: async () => (await import('./time-stamp-token.ts')).verifyTimeStampToken,
};

/** More than an authority may need to be reached again: what was stamped later shows less. */
const LATE_MS = 3 * DAY_MS;

/** What of a record's checkpoints held. */
export interface CheckpointsSeen {
  readonly checkpoints: number;
  /** The last one. */
  readonly last: { readonly seq: number; readonly day: string; readonly hash: string } | null;
  readonly anchors: {
    readonly count: number;
    /** Whose authority's certificate leads to none that the reader trusts. */
    readonly unvouched: number;
    /** Stamped more than three days after the day that they close. */
    readonly late: number;
    /** The last one: up to which line, when by the authority's clock, and by whom. */
    readonly last: { readonly seq: number; readonly time: string; readonly by: string } | null;
  };
}

/** What is wrong with a line that signs or vouches. */
type CheckpointFault = Extract<RecordFault, 'checkpoint' | 'signer' | 'anchor'>;

export interface CheckpointReader {
  /** Looks at the next line of a record whose chain holds up to it. */
  see(line: Readonly<Record<string, unknown>>): Promise<CheckpointFault | undefined>;
  seen(): CheckpointsSeen;
  /** Whether a checkpoint that somebody kept stands in it. */
  has(checkpoint: { readonly seq: number; readonly hash: string }): boolean;
}

export interface ReaderOptions {
  /** By a gateway key's thumbprint (RFC 7638). */
  readonly isTrusted: (thumbprint: string) => boolean;
  /** Certificates, PEM, that an authority's must lead to; then one that does not is a fault. Node's own where left out. */
  readonly trustedAuthorities?: readonly string[] | undefined;
}

/** Reads a record's checkpoints as its lines go by. */
export function checkpointReader({ isTrusted, trustedAuthorities }: ReaderOptions): CheckpointReader {
  const days = new Map<number, { readonly hash: string; readonly day: string }>();
  let previous: string = NO_LINE.hash;
  let last: CheckpointsSeen['last'] = null;
  let gateway: string | undefined;
  const found = { count: 0, unvouched: 0, late: 0, last: null as CheckpointsSeen['anchors']['last'] };

  const seeCheckpoint = async (line: unknown): Promise<CheckpointFault | undefined> => {
    const signed = await signedCheckpoint(line);
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
    const vouched = await vouchedBy(anchor, token, about.hash, trustedAuthorities);
    if (vouched === undefined || new Date(vouched.at).toISOString() !== time) return 'anchor';
    if (!vouched.isTrusted && trustedAuthorities !== undefined) return 'anchor';
    found.count += 1;
    if (!vouched.isTrusted) found.unvouched += 1;
    if (vouched.at > Date.parse(about.day) + LATE_MS) found.late += 1;
    found.last = { seq: Number(seq), time, by: vouched.by };
    return undefined;
  };
  return {
    async see(line) {
      if (line.event === 'checkpoint') return await seeCheckpoint(line);
      return line.event === 'anchored' ? await seeAnchor(line) : undefined;
    },
    seen: () => ({ checkpoints: days.size, last, anchors: { ...found } }),
    has: ({ seq, hash }) => days.get(seq)?.hash === hash,
  };
}

/** What a token says of a hash; undefined if it is none, or of a kind that is not known. */
async function vouchedBy(
  kind: unknown,
  token: unknown,
  hash: string,
  trusted: readonly string[] | undefined,
): Promise<Vouched | undefined> {
  if (typeof kind !== 'string' || typeof token !== 'string' || !Object.hasOwn(anchors, kind))
    return undefined;
  const bytes = Buffer.from(token, 'base64url');
  if (bytes.toString('base64url') !== token) return undefined;
  const verify = await anchors[kind as AnchorKind]();
  // Whatever a parser throws for bytes that are no token.
  return await verify(bytes, Buffer.from(hash, 'hex'), trusted).catch(() => undefined);
}
