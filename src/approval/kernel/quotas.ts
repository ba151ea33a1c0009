import type { ProblemCode } from '../../errors/problem-codes.ts';
import type { ProposalSnapshot } from '../../store/proposal-store.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import { defined } from '../../values/defined.ts';

/** Limits on the proposals that one client may make to one person. */
export interface Quota {
  /** Maximum number of open proposals. */
  readonly open: number;
  /** Maximum number of proposals within the last hour. */
  readonly hour: number;
}

/** The quotas that are set as `approval.quotas` in `gateway.yaml`. */
export interface Quotas {
  /**
   * For our own login client. Proposals that the person typed are counted separately from the rest, so that neither
   * group blocks the other.
   */
  readonly own: Quota;
  readonly other: Quota;
}

export const defaultQuotas: Quotas = { own: { open: 20, hour: 60 }, other: { open: 3, hour: 20 } };

/** Delay before a client may propose again after two denials in a row, in milliseconds. */
const DENIAL_PAUSE_MS = 10 * 60_000;

/**
 * The proposer and client whose proposals to an owner are counted together. Every other proposer and client has a
 * separate quota, so nobody can use up someone else's.
 */
export interface QuotaParty {
  /** The owner, who is asked. */
  readonly sub: string;
  /** The proposer, if not the owner. */
  readonly proposedBy?: string | undefined;
  readonly client: string;
  readonly typed: boolean;
  readonly own: boolean;
}

/**
 * Enforces the quotas. Without quotas, a client could make a phone ring until its owner approves just to make it stop.
 * @param snapshot counts of open and recent proposals, and the latest decisions
 * @throws {HttpProblem} 429 `too_many_open`, `too_many_asked`, `resting`, each with `reason`, `limit` and `value`
 */
export function enforceQuota(
  { open, lastHour, decided }: Pick<ProposalSnapshot, 'open' | 'lastHour' | 'decided'>,
  quotas: Quotas,
  party: QuotaParty,
  now: number,
): void {
  const quota = party.own ? quotas.own : quotas.other;
  if (open >= quota.open) {
    throw quotaExceeded('too_many_open', 'PROPOSALS_EXCEED_MAX_OPEN', quota.open, open, {
      detail: `this client already has ${open} open proposals; the limit is ${quota.open}`,
      hint: 'Approve, deny or withdraw some of them first. List them with "trade-agent approvals".',
    });
  }
  if (lastHour >= quota.hour) {
    throw quotaExceeded('too_many_asked', 'PROPOSALS_EXCEED_MAX_PER_HOUR', quota.hour, lastHour, {
      detail: `this client made ${lastHour} proposals in the last hour; the limit is ${quota.hour}`,
      hint: 'Try again later.',
      retryAfter: 600,
    });
  }
  // Denials don't delay what a person types, because people don't pester themselves.
  if (party.typed) return;
  const [last, before] = decided;
  if (last?.state !== 'denied' || before?.state !== 'denied') return;
  const until = last.at + DENIAL_PAUSE_MS;
  // A denial that lies further in the future was recorded before the clock was set back, so it causes no delay.
  if (now >= until || last.at > now + DENIAL_PAUSE_MS) return;
  throw new HttpProblem(
    429,
    'resting',
    'the last two proposals from this client were denied, so it has to wait before it can propose again',
    {
      hint: `It may propose again at ${new Date(until).toISOString().slice(0, 19)}Z.`,
      retryAfter: Math.ceil((until - now) / 1000),
      members: { reason: 'PROPOSALS_DENIED_REPEATEDLY', reasons: ['PROPOSALS_DENIED_REPEATEDLY'] },
    },
  );
}

function quotaExceeded(
  code: ProblemCode,
  reason: string,
  limit: number,
  value: number,
  { detail, hint, retryAfter }: { detail: string; hint: string; retryAfter?: number },
): HttpProblem {
  return new HttpProblem(429, code, detail, {
    hint,
    ...defined({ retryAfter }),
    members: { reason, reasons: [reason], limit: String(limit), value: String(value) },
  });
}
