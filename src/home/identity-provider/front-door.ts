import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../machine/clock.ts';
import type { Faults } from '../faults.ts';
import { isPhonePath } from '../phone/phone-app.ts';
import { CONNECTED_ACCOUNTS_PATH, OUTCOME_PATH, routes } from './protocol.ts';

export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

const SLOW_ANSWER_MS = 2000;

/** One address for the protocol, the phone, people's accounts elsewhere and the outcomes that a client tells. */
export function frontDoor(options: {
  readonly issuer: string;
  readonly faults: Faults;
  readonly clock: Clock;
  readonly closing: AbortSignal;
  readonly protocol: Handler;
  readonly phone: Handler;
  readonly connectedAccounts: Handler;
  readonly outcomes: Handler;
}): Handler {
  const { issuer, faults, clock, closing, protocol, phone, connectedAccounts, outcomes } = options;
  const { host } = new URL(issuer);
  return async (request, response) => {
    const path = new URL(request.url ?? '/', issuer).pathname;
    response.setHeader('x-content-type-options', 'nosniff');
    response.setHeader('referrer-policy', 'no-referrer');
    response.setHeader('content-security-policy', "default-src 'none'; frame-ancestors 'none'");
    // A page of another site that points its own name at 127.0.0.1 (DNS rebinding) gives itself away here.
    if (request.headers.host !== host) {
      response
        .writeHead(421, { 'content-type': 'text/plain' })
        .end(`This server answers only as ${issuer}\n`);
      return;
    }
    if (faults.take('slow_answers')) await clock.sleep(SLOW_ANSWER_MS, closing);
    if (isPhonePath(path)) return phone(request, response);
    if (path.startsWith(`${CONNECTED_ACCOUNTS_PATH}/`)) return connectedAccounts(request, response);
    if (path === OUTCOME_PATH) return outcomes(request, response);
    if (!isProtocolPath(path)) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('Not found\n');
      return;
    }
    if (path === routes.token && faults.take('idp_5xx')) {
      response
        .writeHead(503, { 'content-type': 'application/json', 'retry-after': '1' })
        .end(JSON.stringify({ error: 'temporarily_unavailable' }));
      return;
    }
    await protocol(request, response);
  };
}

/** Only what is meant to be served: the library has more routes than this provider has uses for. */
function isProtocolPath(path: string): boolean {
  return (
    path === '/.well-known/openid-configuration' ||
    path === '/.well-known/oauth-authorization-server' ||
    [
      routes.backchannel_authentication,
      routes.device_authorization,
      routes.jwks,
      routes.registration,
      routes.revocation,
      routes.token,
      routes.userinfo,
    ].some((route) => route === path)
  );
}
