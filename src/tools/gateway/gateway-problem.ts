import { z } from 'zod';
import { isAgentProblem } from '../../errors/agent-problems.ts';
import { type ErrorCode, TradeAgentError } from '../../errors/errors.ts';
import { loginHint } from '../../errors/login-required.ts';
import { isProblemCode } from '../../errors/problem-codes.ts';
import { type ProblemMembers, problemMembers } from '../../errors/problem-members.ts';
import { safeLine } from '../../text/shown-text.ts';
import { type Problem, problemSchema } from '../../trading/views.ts';
import { defined } from '../../values/defined.ts';
import { meanings } from './problem-meanings.ts';

const hints: Partial<Record<ErrorCode, string>> = {
  login_required: loginHint(),
  insufficient_scope:
    'Sign in again with "trade-agent login", without --read-only if this was more than reading.',
  market_closed: 'Try again when the market is open, or place a limit order.',
  price_moved: 'Ask for the order again to see and approve it at the new price.',
  insufficient_funds: 'Ask for less, or free some buying power first.',
  unknown_symbol: 'Check the ticker symbol.',
  not_found: 'List your orders with "trade-agent orders --status all".',
  outcome_unknown: 'Go on with "trade-agent resume": it asks what became of the order before anything else.',
  blocked: 'Nothing was traded.',
};

/** UTF-16 code units of a sentence from outside at most. */
export const LONGEST_SENTENCE = 300;

/** Deeper or longer than this no member of a problem is. */
const MOST_DEPTH = 4;
const MOST_ENTRIES = 50;

/** JSON from outside as it is, its text fit to be shown. */
function shownValue(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return safeLine(value, LONGEST_SENTENCE);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MOST_DEPTH) return undefined;
  if (Array.isArray(value)) return value.slice(0, MOST_ENTRIES).map((entry) => shownValue(entry, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, MOST_ENTRIES)
      .map(([name, entry]) => [safeLine(name, 64), shownValue(entry, depth + 1)]),
  );
}

/** What a problem says beside its sentence, fit to be shown and otherwise as it came. */
export function shownMembers(members: Readonly<Record<string, unknown>>): ProblemMembers {
  return shownValue(problemMembers(members)) as ProblemMembers;
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

/** What the gateway says where accounts are opened by what their owners gave: nothing can be connected from here. */
const byKept = z.object({ credentials: z.string() });

/** The account elsewhere that a problem is about; the broker's where it names none. */
function connectionOf(body: unknown): string | undefined {
  if (byKept.safeParse(body).success) return undefined;
  const named = z.object({ connection: z.string().regex(/^[a-z]{1,32}$/) }).safeParse(body);
  return named.success ? named.data.connection : 'broker';
}

/**
 * What one of the gateway's problem codes means to the caller; `gateway_refused` for one that this version doesn't know. What
 * a rule stopped before it was sent is not late, but blocked.
 */
export function errorCodeOf(problem: string, members: Readonly<Record<string, unknown>> = {}): ErrorCode {
  if (problem === 'not_placed' && members.reason !== undefined) return 'blocked';
  if (isAgentProblem(problem)) return problem;
  return isProblemCode(problem) ? meanings[problem] : 'gateway_refused';
}

function codeOf(status: number, problem: Problem | undefined): ErrorCode {
  if (status === 401) return 'login_required';
  if (problem !== undefined) return errorCodeOf(problem.code, problem);
  if (status === 404) return 'not_found';
  return status >= 500 ? 'gateway_unreachable' : 'gateway_refused';
}

/**
 * The error for an answer of the gateway's that isn't a success (RFC 9457 problem JSON, or no usable body at all).
 * `details.status` is the HTTP status, `details.problem` the gateway's own code, beside the problem's own members.
 */
export function gatewayError(status: number, body: unknown): TradeAgentError {
  const parsed = problemSchema.safeParse(body);
  const problem = parsed.success ? parsed.data : undefined;
  const code = codeOf(status, problem);
  const said = problem?.detail ?? problem?.title;
  const message =
    said === undefined ? `the gateway answered with HTTP status ${status}` : safeLine(said, LONGEST_SENTENCE);
  const connection = code === 'connection_required' ? connectionOf(body) : undefined;
  const hint =
    connection !== undefined
      ? connectHint(connection)
      : problem?.hint === undefined
        ? hints[code]
        : safeLine(problem.hint, LONGEST_SENTENCE);
  return new TradeAgentError(code, message, {
    ...defined({ hint }),
    details: {
      status,
      ...defined({ connection }),
      ...(problem === undefined ? {} : { ...shownMembers(problem), problem: safeLine(problem.code, 64) }),
      ...(problem?.fields === undefined
        ? {}
        : { fields: problem.fields.map((field) => safeLine(field, 64)) }),
    },
  });
}
