import type { Problem } from '../trading/views.ts';

/** RFC 6750 §3.1, RFC 9449 §7.1 and §12.2: what a challenge says went wrong. */
export type ChallengeError =
  | 'invalid_token'
  | 'invalid_dpop_proof'
  | 'insufficient_scope'
  | 'insufficient_authorization_details';

export interface RefusalOptions {
  /** What to do next. */
  readonly hint?: string;
  /** Names of the fields that are missing or differ. */
  readonly fields?: readonly string[];
  /** RFC 9457 §3.2 extension members. Never a value from a token. */
  readonly members?: Readonly<Record<string, unknown>>;
  /** Present on every 401 and 403. `scopes` are all that the request needs (RFC 6750 §3). */
  readonly challenge?: { readonly error?: ChallengeError; readonly scopes?: readonly string[] };
  /** Seconds, for the `Retry-After` header. */
  readonly retryAfter?: number;
  readonly cause?: unknown;
}

/**
 * The gateway says no: an RFC 9457 problem on its way to the caller. `code` is stable, `detail` says what happened.
 * Neither may hold a token, a claim's value or a broker's response body.
 */
export class Refusal extends Error {
  override name = 'Refusal';
  readonly status: number;
  readonly code: string;
  readonly options: RefusalOptions;

  constructor(status: number, code: string, detail: string, options: RefusalOptions = {}) {
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
      title: titleOf(this.code),
      status: this.status,
      code: this.code,
      detail: this.message,
      ...(hint === undefined ? {} : { hint }),
      ...(fields === undefined ? {} : { fields: [...fields] }),
    };
  }
}

function titleOf(code: string): string {
  const words = code.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The whole answer for a refusal. `algorithms` are those accepted in DPoP proofs (RFC 9449 §5.1). */
export function problemResponse(
  problem: Problem,
  options: Pick<RefusalOptions, 'challenge' | 'retryAfter'>,
  site: { readonly metadataUrl: string; readonly algorithms: readonly string[]; readonly requestId: string },
): Response {
  const headers = new Headers({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' });
  if (options.retryAfter !== undefined) headers.set('retry-after', String(options.retryAfter));
  if (options.challenge !== undefined) {
    const parameters = [
      ...(options.challenge.error === undefined
        ? []
        : [
            ['error', options.challenge.error] as const,
            ['error_description', problem.detail ?? ''] as const,
          ]),
      ...(options.challenge.scopes === undefined
        ? []
        : [['scope', options.challenge.scopes.join(' ')] as const]),
      ['resource_metadata', site.metadataUrl] as const,
    ];
    const written = parameters.map(([name, value]) => `${name}="${quotable(value)}"`).join(', ');
    headers.append('www-authenticate', `DPoP ${written}, algs="${site.algorithms.join(' ')}"`);
    // A proof that failed can't be mended by leaving it out, so Bearer isn't offered then.
    if (options.challenge.error !== 'invalid_dpop_proof') {
      headers.append('www-authenticate', `Bearer ${written}`);
    }
  }
  return new Response(JSON.stringify({ ...problem, request_id: site.requestId }), {
    status: problem.status,
    headers,
  });
}

/** Only what RFC 6750 §3 allows in `error_description`: no quote, no backslash, ASCII. */
function quotable(text: string): string {
  return text.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, "'");
}
