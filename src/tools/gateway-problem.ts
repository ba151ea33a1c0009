import { z } from 'zod';
import { type ErrorCode, TradeAgentError } from '../trading/errors.ts';
import { type Problem, problemSchema } from '../trading/views.ts';

/** The gateway's codes that mean the same to the caller; every other one arrives as `gateway_refused`. */
const sameCode = new Set<string>([
  'insufficient_scope',
  'market_closed',
  'price_moved',
  'insufficient_funds',
  'unknown_symbol',
  'outcome_unknown',
  'approval_expired',
  'broker_rejected',
  'message_rejected',
  'invalid_message',
  'blocked',
  'not_found',
] satisfies ErrorCode[]);

const hints: Partial<Record<ErrorCode, string>> = {
  login_required: 'Sign in with "trade-agent login".',
  insufficient_scope:
    'Sign in again with "trade-agent login", without --read-only if this was more than reading.',
  market_closed: 'Try again when the market is open, or place a limit order.',
  price_moved: 'Ask for the order again to see and approve it at the new price.',
  insufficient_funds: 'Ask for less, or free some buying power first.',
  unknown_symbol: 'Check the ticker symbol.',
  not_found: 'List your orders with "trade-agent orders --status all".',
  outcome_unknown: 'Go on with "trade-agent resume": it asks what became of the order before anything else.',
};

/**
 * One line of text that came from outside, fit to be shown: control characters (terminal escapes among them) become
 * spaces, and it is cut at `length` characters.
 */
export function shownText(text: string, length = 300): string {
  const line = text
    // biome's rule is off for this: escapes are just what must go.
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ')
    .trim();
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
}

const outcomeSchema = z.object({ outcome: z.object({ code: z.string(), detail: z.string().optional() }) });

/** Why there is no order, where the gateway carried the request out and knows it came to nothing. */
export function recordedRefusal(body: unknown): TradeAgentError | undefined {
  const parsed = outcomeSchema.safeParse(body);
  if (!parsed.success) return undefined;
  const { code, detail } = parsed.data.outcome;
  return gatewayError(422, { type: 'about:blank', title: code, status: 422, code, detail });
}

/** What connects an account elsewhere. */
export function connectCommand(connection: string): string {
  return `trade-agent connections add ${connection}`;
}

/** What stands in the way where an account elsewhere is not connected. */
export function connectionRequired(connection: string): TradeAgentError {
  return new TradeAgentError('connection_required', `your account "${connection}" is not connected`, {
    hint: connectHint(connection),
    details: { connection },
  });
}

function connectHint(connection: string): string {
  return `Connect it with "${connectCommand(connection)}".`;
}

/** The account elsewhere that a problem is about; the broker's where it names none. */
function connectionOf(body: unknown): string {
  const named = z.object({ connection: z.string().regex(/^[a-z]{1,32}$/) }).safeParse(body);
  return named.success ? named.data.connection : 'broker';
}

function codeOf(status: number, problem: Problem | undefined): ErrorCode {
  if (status === 401) return 'login_required';
  if (problem === undefined) {
    if (status === 404) return 'not_found';
    return status >= 500 ? 'gateway_unreachable' : 'gateway_refused';
  }
  if (sameCode.has(problem.code)) return problem.code as ErrorCode;
  if (problem.code === 'account_not_connected') return 'connection_required';
  if (problem.code.startsWith('policy')) return 'blocked';
  if (problem.code === 'order_not_found') return 'not_found';
  if (problem.code === 'not_placed') return 'approval_expired';
  return 'gateway_refused';
}

/**
 * Whether an answer to something that was sent says that it was not carried out. Only the gateway's own words do: a
 * proxy's page may stand in the place of any answer, and where the proof was used before, the gateway has had this very
 * request already.
 */
export function isRefusal({ details }: TradeAgentError): boolean {
  const { status, problem } = details;
  return Number(status) < 500 && problem !== undefined && problem !== 'dpop_proof_replayed';
}

/** Answers by which the gateway says that what it was sent is certainly not carried out, and may be sent again. */
const notTaken = ['account_not_connected', 'broker_busy', 'service_busy', 'provider_unreachable', 'closing'];

export function isNotTaken({ details: { problem } }: TradeAgentError): boolean {
  return typeof problem === 'string' && notTaken.includes(problem);
}

/**
 * The error for an answer of the gateway's that isn't a success (RFC 9457 problem JSON, or no usable body at all).
 * `details.status` is the HTTP status, `details.problem` the gateway's own code, `details.replayed` whether it said this
 * of the same order before.
 */
export function gatewayError(status: number, body: unknown, replayed = false): TradeAgentError {
  const parsed = problemSchema.safeParse(body);
  const problem = parsed.success ? parsed.data : undefined;
  const code = codeOf(status, problem);
  const said = problem?.detail ?? problem?.title;
  const message = said === undefined ? `the gateway answered with HTTP status ${status}` : shownText(said);
  const connection = code === 'connection_required' ? connectionOf(body) : undefined;
  const hint =
    connection !== undefined
      ? connectHint(connection)
      : problem?.hint === undefined
        ? hints[code]
        : shownText(problem.hint);
  return new TradeAgentError(code, message, {
    ...(hint === undefined ? {} : { hint }),
    details: {
      status,
      ...(replayed ? { replayed } : {}),
      ...(connection === undefined ? {} : { connection }),
      ...(problem === undefined ? {} : { problem: shownText(problem.code, 64) }),
      ...(problem?.fields === undefined
        ? {}
        : { fields: problem.fields.map((field) => shownText(field, 64)) }),
    },
  });
}
