import { TradeAgentError } from '../../errors/errors.ts';
import { failedBeforeConnecting } from '../../errors/never-connected.ts';
import type { DpopProver } from './dpop-proof.ts';

/**
 * Timeout in milliseconds for a gateway request and its response body, unless the body is an event stream. Long enough
 * for the gateway to send several requests to the broker.
 */
export const GATEWAY_TIMEOUT_MS = 30_000;

interface GatewayRequest {
  readonly fetch: typeof fetch;
  readonly prover: DpopProver;
  readonly token: { readonly value: string; readonly type: 'dpop' | 'bearer' };
  readonly url: URL;
  readonly init: RequestInit;
  readonly timeoutMs: number;
  /** The service's name in error messages. Defaults to `gateway`. */
  readonly called?: string;
}

/**
 * Sends one request with a token. Repeats it once if the server demands a DPoP nonce (RFC 9449 §9), which is safe
 * because the server did not carry out the first request.
 * @throws {TradeAgentError} `gateway_unreachable`; `details.sent` is false if the request certainly never arrived.
 * Throws `init.signal.reason` if that signal aborts
 */
export async function sendToGateway(request: GatewayRequest): Promise<Response> {
  const response = await sendOnce(request);
  if (requiresDpopNonce(response)) {
    await response.body?.cancel();
    return await sendOnce(request);
  }
  return response;
}

/** Returns whether a resource server demands a proof that contains its nonce (RFC 9449 §9). */
export function requiresDpopNonce(response: Response): boolean {
  return response.status === 401 && /use_dpop_nonce/.test(response.headers.get('www-authenticate') ?? '');
}

async function sendOnce({
  fetch,
  prover,
  token,
  url,
  init,
  timeoutMs,
  called = 'gateway',
}: GatewayRequest): Promise<Response> {
  const method = (init.method ?? 'GET').toUpperCase();
  const headers = new Headers(init.headers);
  headers.set('authorization', `${token.type === 'dpop' ? 'DPoP' : 'Bearer'} ${token.value}`);
  if (token.type === 'dpop') {
    headers.set('dpop', await prover.proof({ method, url, accessToken: token.value }));
  }
  const limit = new AbortController();
  const timeout = limit.signal;
  const timer = setTimeout(() => limit.abort(new DOMException('too slow', 'TimeoutError')), timeoutMs);
  timer.unref();
  let response: Response;
  try {
    response = await fetch(url.href, {
      ...init,
      method,
      headers,
      // Following a redirect would send the request, and with some clients the token, to an unknown address.
      redirect: 'manual',
      signal: init.signal ? AbortSignal.any([init.signal, timeout]) : timeout,
    });
  } catch (error) {
    init.signal?.throwIfAborted();
    throw timeout.aborted
      ? unreachableError(called, url, `no response within ${timeoutMs / 1000} seconds`)
      : unreachableError(called, url, networkCode(error), !failedBeforeConnecting(error));
  }
  // An event stream has no total time limit. Its reader watches the heartbeats.
  if (response.headers.get('content-type')?.startsWith('text/event-stream')) clearTimeout(timer);
  prover.rememberNonce(url, response);
  if (response.status >= 300 && response.status < 400 && response.status !== 304) {
    await response.body?.cancel();
    throw unreachableError(called, url, 'it responded with a redirect, which is not followed');
  }
  return response;
}

function networkCode(error: unknown): string {
  const code = ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === 'string' ? code : 'no connection';
}

/** Creates the error for a failed request. @param sent false if the request was certainly not sent */
function unreachableError(called: string, url: URL, reason: string, sent = true): TradeAgentError {
  return new TradeAgentError('gateway_unreachable', `the ${called} at ${url.origin} can't be reached (${reason})`, {
    hint: 'Check the network and the profile, then try again.',
    details: { reason, sent },
  });
}
