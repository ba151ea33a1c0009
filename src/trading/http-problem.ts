import type { AgentProblemCode } from '../errors/agent-problems.ts';
import type { ProblemCode } from '../errors/problem-codes.ts';
import { capitalize } from '../text/first-letter.ts';
import { defined } from '../values/defined.ts';
import type { Problem } from './views.ts';

/** Error codes of an authentication challenge (RFC 6750 §3.1, RFC 9449 §7.1 and §12.2). */
type ChallengeError =
  | 'invalid_token'
  | 'invalid_dpop_proof'
  | 'insufficient_scope'
  | 'insufficient_authorization_details';

export interface HttpProblemOptions {
  readonly hint?: string;
  readonly fields?: readonly string[];
  /** Extension members (RFC 9457 §3.2). They never contain a value from a token. */
  readonly members?: Readonly<Record<string, unknown>>;
  /** Present on every 401 and 403 response. `scopes` lists all scopes that the request needs (RFC 6750 §3). */
  readonly challenge?: { readonly error?: ChallengeError; readonly scopes?: readonly string[] };
  /** Value of the `Retry-After` header, in seconds. */
  readonly retryAfter?: number;
  readonly cause?: unknown;
}

/**
 * An error that the caller receives as an RFC 9457 problem. `code` never changes. Neither `code` nor `detail` may
 * contain a token, a claim's value or a broker's response body.
 */
export class ProblemError<Code extends string> extends Error {
  override name = 'ProblemError';
  readonly status: number;
  readonly code: Code;
  readonly options: HttpProblemOptions;

  constructor(status: number, code: Code, detail: string, options: HttpProblemOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = status;
    this.code = code;
    this.options = options;
  }

  toProblem(): Problem {
    const { hint, fields, members } = this.options;
    return {
      ...members,
      type: `urn:trade-agent:problem:${this.code}`,
      title: problemTitle(this.code),
      status: this.status,
      code: this.code,
      detail: this.message,
      ...defined({ hint }),
      ...(fields === undefined ? {} : { fields: [...fields] }),
    };
  }
}

export class HttpProblem extends ProblemError<ProblemCode> {
  override name = 'HttpProblem';
}

export class AgentHttpProblem extends ProblemError<AgentProblemCode> {
  override name = 'AgentHttpProblem';
}

function problemTitle(code: string): string {
  return capitalize(code.replaceAll('_', ' '));
}
