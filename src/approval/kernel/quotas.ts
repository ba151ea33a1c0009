import type { ProblemCode } from '../../errors/problem-codes.ts';
import type { Standing } from '../../store/proposal-store.ts';
import { Refusal } from '../../trading/refusal.ts';
import { defined } from '../../values/defined.ts';

/** How much one client may ask of one person. */
export interface Quota {
  /** Open at once. */
  readonly open: number;
  /** Within the last hour. */
  readonly hour: number;
}

/** Settable in `gateway.yaml`, `approval.quotas`. */
export interface Quotas {
  /** For our own login client: once for what the person typed, once for all else, so that neither shuts out the other. */
  readonly own: Quota;
  /** For any other client. */
  readonly other: Quota;
}

export const defaultQuotas: Quotas = { own: { open: 20, hour: 60 }, other: { open: 3, hour: 20 } };

/** After two denials in a row the person is left alone by that client. */
const REST_MS = 10 * 60_000;

/** Whose proposals are counted together. Per owner, client and who uses it, so that nobody shuts out another. */
export interface Asker {
  /** Who is asked. */
  readonly sub: string;
  /** Who proposes, where that is somebody else. */
  readonly proposedBy?: string | undefined;
  readonly client: string;
  readonly typed: boolean;
  readonly own: boolean;
}

/**
 * Keeps a phone from ringing until its owner taps to have peace.
 * @param standing as of the last hour
 * @throws {Refusal} 429 `too_many_open`, `too_many_asked`, `resting`, each with `reason`, `limit` and `value`
 */
export function requireQuota(
  { open, lately, decided }: Pick<Standing, 'open' | 'lately' | 'decided'>,
  quotas: Quotas,
  asker: Asker,
  now: number,
): void {
  const quota = asker.own ? quotas.own : quotas.other;
  if (open >= quota.open) {
    throw tooMany('too_many_open', 'PROPOSALS_EXCEED_MAX_OPEN', quota.open, open, {
      detail: `${open} proposals of this client wait already; it may have ${quota.open} open at once`,
      hint: 'Decide or withdraw some first: "trade-agent approvals".',
    });
  }
  if (lately >= quota.hour) {
    throw tooMany('too_many_asked', 'PROPOSALS_EXCEED_MAX_PER_HOUR', quota.hour, lately, {
      detail: `this client has asked ${lately} times within the hour; it may ask ${quota.hour} times`,
      hint: 'Try again later.',
      retryAfter: 600,
    });
  }
  // What the person types themselves is no nagging.
  if (asker.typed) return;
  const [last, before] = decided;
  if (last?.state !== 'denied' || before?.state !== 'denied') return;
  const until = last.at + REST_MS;
  // One that is dated further ahead was dated by a clock that has been set back since.
  if (now >= until || last.at > now + REST_MS) return;
  throw new Refusal(
    429,
    'resting',
    'the last two proposals of this client were denied: it asks no more for now',
    {
      hint: `It may ask again at ${new Date(until).toISOString().slice(0, 19)}Z.`,
      retryAfter: Math.ceil((until - now) / 1000),
      members: { reason: 'PROPOSALS_DENIED_REPEATEDLY', reasons: ['PROPOSALS_DENIED_REPEATEDLY'] },
    },
  );
}

function tooMany(
  code: ProblemCode,
  reason: string,
  limit: number,
  value: number,
  { detail, hint, retryAfter }: { detail: string; hint: string; retryAfter?: number },
): Refusal {
  return new Refusal(429, code, detail, {
    hint,
    ...defined({ retryAfter }),
    members: { reason, reasons: [reason], limit: String(limit), value: String(value) },
  });
}
