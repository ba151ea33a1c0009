import { isAgentProblemCode } from '../../errors/agent-problems.ts';
import { type ErrorCode, isTradeAgentError } from '../../errors/errors.ts';
import { isProblemCode } from '../../errors/problem-codes.ts';
import { pickProblemMembers } from '../../errors/problem-members.ts';
import { AgentHttpProblem, HttpProblem, type ProblemError } from '../../trading/http-problem.ts';
import { defined } from '../../values/defined.ts';

const statuses: Partial<Record<ErrorCode, number>> = {
  usage: 400,
  not_found: 404,
  busy: 409,
  blocked: 409,
  notice_failed: 502,
  approval_pending: 409,
  outcome_unknown: 409,
  insufficient_scope: 403,
  gateway_unreachable: 503,
  provider_unreachable: 503,
  provider_error: 502,
};

/** Default Retry-After for an unreachable gateway or provider, in seconds. */
const DEFAULT_RETRY_S = 5;

/** Converts an agent's error to an HTTP problem. @throws all other errors unchanged */
function toHttpProblem(error: unknown): ProblemError<string> {
  if (error instanceof HttpProblem || error instanceof AgentHttpProblem) return error;
  if (!isTradeAgentError(error)) throw error;
  const { code, message, hint, details } = error;
  const { status: theirs, problem, retryAfter } = details;
  const ours = statuses[code];
  const options = {
    ...defined({ hint }),
    ...((ours ?? theirs) === 503 ? { retryAfter: typeof retryAfter === 'number' ? retryAfter : DEFAULT_RETRY_S } : {}),
    cause: error,
  };
  if (code === 'login_required')
    return new HttpProblem(401, 'token_revoked', message, {
      ...options,
      challenge: { error: 'invalid_token' },
    });
  if (ours !== undefined && isAgentProblemCode(code)) return new AgentHttpProblem(ours, code, message, options);
  if (ours !== undefined && isProblemCode(code)) return new HttpProblem(ours, code, message, options);
  // An error from the gateway keeps the gateway's status and code.
  if (typeof theirs === 'number' && typeof problem === 'string' && isProblemCode(problem))
    return new HttpProblem(theirs, problem, message, { ...options, members: { ...pickProblemMembers(details) } });
  throw error;
}

export async function withHttpProblems<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toHttpProblem(error);
  }
}
