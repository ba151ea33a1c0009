import { z } from 'zod';
import { isAgentProblemCode } from '../../errors/agent-problems.ts';
import { type ErrorCode, isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { loginHint } from '../../errors/login-required.ts';
import { isProblemCode, type ProblemCode } from '../../errors/problem-codes.ts';
import { type ProblemMembers, pickProblemMembers } from '../../errors/problem-members.ts';
import { safeLine } from '../../text/sanitize.ts';
import { type Problem, problemSchema } from '../../trading/views.ts';
import { defined } from '../../values/defined.ts';

/** Error codes by problem code. `blocked` is for the owner's rules and quotas. Other codes become `gateway_refused`. */
const errorCodes: Partial<Record<ProblemCode, ErrorCode>> = {
  insufficient_scope: 'insufficient_scope',
  approval_expired: 'approval_expired',
  approval_denied: 'approval_denied',
  approval_cancelled: 'approval_cancelled',
  invalid_order: 'invalid_order',
  invalid_message: 'invalid_message',
  not_found: 'not_found',
  proposal_executing: 'outcome_unknown',
  policy_denied: 'blocked',
  resting: 'blocked',
  too_many_open: 'blocked',
  too_many_asked: 'blocked',
  mandate_ended: 'usage',
  invalid_policy: 'invalid_config',
  account_not_connected: 'connection_required',
  blocked: 'blocked',
  insufficient_funds: 'insufficient_funds',
  market_closed: 'market_closed',
  price_moved: 'price_moved',
  unknown_symbol: 'unknown_symbol',
  not_placed: 'approval_expired',
  placed_late: 'outcome_unknown',
  outcome_unknown: 'outcome_unknown',
  broker_rejected: 'broker_rejected',
  message_rejected: 'message_rejected',
};

const hints: Partial<Record<ErrorCode, string>> = {
  login_required: loginHint(),
  insufficient_scope: 'Sign in again with "trade-agent login" (leave out --read-only to do more than read).',
  market_closed: 'Try again when the market is open, or place a limit order.',
  price_moved: 'Ask for the order again to see and approve it at the new price.',
  insufficient_funds: 'Propose a smaller order, or free up some buying power first.',
  unknown_symbol: 'Check the ticker symbol.',
  not_found: 'List your orders with "trade-agent orders --status all".',
  outcome_unknown: 'Run "trade-agent resume", which first asks for the outcome of the order.',
  blocked: 'Nothing was traded.',
};

/** Maximum length of a sentence in UTF-16 code units. */
export const MAX_SENTENCE_LENGTH = 300;

const MAX_DEPTH = 4;
const MAX_ENTRIES = 50;

function sanitizeValue(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return safeLine(value, MAX_SENTENCE_LENGTH);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return undefined;
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map((entry) => sanitizeValue(entry, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, MAX_ENTRIES)
      .map(([name, entry]) => [safeLine(name, 64), sanitizeValue(entry, depth + 1)]),
  );
}

export function sanitizeProblemMembers(members: Readonly<Record<string, unknown>>): ProblemMembers {
  return sanitizeValue(pickProblemMembers(members)) as ProblemMembers;
}

export function formatConnectCommand(connection: string): string {
  return `trade-agent connections add ${connection}`;
}

export function connectionRequiredError(connection: string): TradeAgentError {
  return new TradeAgentError('connection_required', `your account "${connection}" is not connected`, {
    hint: connectHint(connection),
    details: { connection },
  });
}

function connectHint(connection: string): string {
  return `Connect it with "${formatConnectCommand(connection)}".`;
}

/** Matches the problem of a gateway that stores broker credentials itself. Clients can't connect accounts to it. */
const storedCredentialsSchema = z.object({ credentials: z.string() });

function missingConnection(body: unknown): string | undefined {
  if (storedCredentialsSchema.safeParse(body).success) return undefined;
  const named = z.object({ connection: z.string().regex(/^[a-z]{1,32}$/) }).safeParse(body);
  return named.success ? named.data.connection : 'broker';
}

export function toErrorCode(problem: string, members: Readonly<Record<string, unknown>> = {}): ErrorCode {
  if (problem === 'not_placed' && members.reason !== undefined) return 'blocked';
  if (isAgentProblemCode(problem)) return problem;
  return (isProblemCode(problem) ? errorCodes[problem] : undefined) ?? 'gateway_refused';
}

function responseErrorCode(status: number, problem: Problem | undefined): ErrorCode {
  if (status === 401) return 'login_required';
  if (problem !== undefined) return toErrorCode(problem.code, problem);
  if (status === 404) return 'not_found';
  return status >= 500 ? 'gateway_unreachable' : 'gateway_refused';
}

/**
 * Returns the error for an unsuccessful response (RFC 9457 problem, or no usable body). `details` contains the
 * problem's members, `status` (HTTP), and `problem` (the gateway's code).
 */
export function gatewayError(status: number, body: unknown): TradeAgentError {
  const parsed = problemSchema.safeParse(body);
  const problem = parsed.success ? parsed.data : undefined;
  const code = responseErrorCode(status, problem);
  const said = problem?.detail ?? problem?.title;
  const message =
    said === undefined ? `the gateway responded with HTTP status ${status}` : safeLine(said, MAX_SENTENCE_LENGTH);
  const connection = code === 'connection_required' ? missingConnection(body) : undefined;
  const hint =
    connection !== undefined
      ? connectHint(connection)
      : problem?.hint === undefined
        ? hints[code]
        : safeLine(problem.hint, MAX_SENTENCE_LENGTH);
  return new TradeAgentError(code, message, {
    ...defined({ hint }),
    details: {
      status,
      ...defined({ connection }),
      ...(problem === undefined ? {} : { ...sanitizeProblemMembers(problem), problem: safeLine(problem.code, 64) }),
      ...(problem?.fields === undefined ? {} : { fields: problem.fields.map((field) => safeLine(field, 64)) }),
    },
  });
}

export function isTransientError(error: unknown): boolean {
  if (!isTradeAgentError(error)) return false;
  const { code, details } = error;
  if (code === 'gateway_unreachable' || code === 'provider_unreachable') return true;
  // A retry would not help, because the problem persists until the provider is reconfigured.
  if (details.problem === 'provider_error') return false;
  return details.status === 429 || Number(details.status) >= 500;
}
