import type { ProblemCode } from '../../errors/problem-codes.ts';
import { HttpProblem, type HttpProblemOptions } from '../../trading/http-problem.ts';
import type { Problem } from '../../trading/views.ts';
import { defined } from '../../values/defined.ts';

/** Returns the HTTP response for a problem. `algorithms` lists what DPoP proofs may be signed with (RFC 9449 §5.1). */
export function toProblemResponse(
  problem: Problem,
  options: Pick<HttpProblemOptions, 'challenge' | 'retryAfter'>,
  site: { readonly metadataUrl: string; readonly algorithms: readonly string[]; readonly requestId: string },
): Response {
  const headers = new Headers({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' });
  if (options.retryAfter !== undefined) headers.set('retry-after', String(options.retryAfter));
  if (options.challenge !== undefined) {
    const parameters = [
      ...(options.challenge.error === undefined
        ? []
        : [['error', options.challenge.error] as const, ['error_description', problem.detail ?? ''] as const]),
      ...(options.challenge.scopes === undefined ? [] : [['scope', options.challenge.scopes.join(' ')] as const]),
      ['resource_metadata', site.metadataUrl] as const,
    ];
    const written = parameters.map(([name, value]) => `${name}="${quotable(value)}"`).join(', ');
    headers.append('www-authenticate', `DPoP ${written}, algs="${site.algorithms.join(' ')}"`);
    // After a wrong DPoP proof, Bearer is not offered, because a request without the proof would also be rejected.
    if (options.challenge.error !== 'invalid_dpop_proof') {
      headers.append('www-authenticate', `Bearer ${written}`);
    }
  }
  return new Response(JSON.stringify({ ...problem, request_id: site.requestId }), {
    status: problem.status,
    headers,
  });
}

/** Replaces characters that RFC 6750 §3 does not allow in `error_description`: quotes, backslashes and non-ASCII. */
function quotable(text: string): string {
  return text.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, "'");
}

/** A problem that was recorded for an earlier request and is returned again when that request is repeated. */
export class ReplayedProblem extends HttpProblem {
  override name = 'ReplayedProblem';
}

export function toRecordedProblem(problem: Problem): HttpProblem {
  const { type: _type, title: _title, status, code, detail, hint, fields, ...members } = problem;
  return new HttpProblem(status, code as ProblemCode, detail ?? '', {
    members,
    ...defined({ hint, fields }),
  });
}
