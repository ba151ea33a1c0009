import { z } from 'zod';
import type { BrokerFailure } from '../broker-failure.ts';
import type { KeptKind } from '../kept-kinds.ts';
import { RestAnswer, restFailure } from '../rest-client.ts';

const words = z.object({
  detail: z.string(),
  code: z.union([z.string(), z.number()]).optional(),
  status_code: z.number().optional(),
});

const OWN_WORD: readonly number[] = [400, 403, 404, 409, 422];

/** An answer with `detail` and such a status is a refusal; anything else proves nothing. */
export function failureOf(error: unknown, kept: KeptKind): BrokerFailure {
  if (!(error instanceof RestAnswer)) return restFailure(error);
  const { status, headers, json } = error;
  if (status === 401) return { kind: 'unauthorized', credentials: kept };
  if (status === 429) return { kind: 'rate_limited', retryAfterMs: untilReset(headers) };
  const said = words.safeParse(json);
  if (!OWN_WORD.includes(status) || !said.success) return { kind: 'failing', status };
  const { detail, code } = said.data;
  const isFunds = /insufficient|buying power|not enough (cash|funds)/i.test(detail);
  return {
    kind: 'refused',
    status,
    reason: isFunds ? 'insufficient_funds' : 'other',
    message: detail,
    brokerCode: code === undefined ? undefined : String(code),
  };
}

/** "Rate Limiting": `X-RateLimit-Reset` is the seconds until the minute ends. */
function untilReset(headers: Headers): number | undefined {
  const seconds = Number(headers.get('x-ratelimit-reset') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}
