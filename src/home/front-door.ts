import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Clock } from '../machine/clock.ts';
import { requireHost } from '../net/host-check.ts';
import type { Faults } from './identity-provider/faults.ts';
import {
  CONNECTED_ACCOUNTS_PATH,
  type Handler,
  LOGOUT_PATH,
  OUTCOME_PATH,
  routes,
  SIGNALS_PATH,
  TRANSMITTER_PATH,
} from './identity-provider/protocol/protocol.ts';
import { transmitterMetadata } from './identity-provider/transmitter/transmitter.ts';
import { isPhonePath } from './phone/phone-app.ts';

const SLOW_ANSWER_MS = 2000;

export function frontDoor(options: {
  readonly issuer: string;
  readonly faults: Faults;
  readonly clock: Clock;
  readonly closing: AbortSignal;
  readonly protocol: Handler;
  readonly phone: Handler;
  readonly connectedAccounts: Handler;
  readonly outcomes: Handler;
  /** Where companies' signals are taken; undefined where there are none. */
  readonly signals: Handler | undefined;
  /** Whether it tells others what ended here, and says how. */
  readonly transmits: boolean;
}): Handler {
  const { issuer, faults, clock, closing, protocol, phone, connectedAccounts, outcomes, signals } = options;
  const isForUs = requireHost([issuer]);
  return async (request, response) => {
    const [path = ''] = (request.url ?? '').split(/[?#]/, 1);
    if (!isForUs(request, response)) return;
    // An address of another form (`*`, a whole URL, `//host`) would be taken for one of another server further in.
    if (!/^\/(?!\/)/.test(path)) return refuse(response, 400, 'The request names no path of this server');
    if (faults.take('slow_answers')) await clock.sleep(SLOW_ANSWER_MS, closing);
    if (isPhonePath(path)) return phone(request, response);
    if (path.startsWith(`${CONNECTED_ACCOUNTS_PATH}/`)) return connectedAccounts(request, response);
    if (path === OUTCOME_PATH) return outcomes(request, response);
    if (signals !== undefined && (path === SIGNALS_PATH || path === LOGOUT_PATH)) {
      if (request.method === 'POST') return signals(request, response);
      return refuse(response, 405, 'Method not allowed', { allow: 'POST' });
    }
    if (options.transmits && path === TRANSMITTER_PATH && request.method === 'GET') {
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify(transmitterMetadata(issuer)));
      return;
    }
    const methods = methodsOf(path);
    if (methods === undefined) return refuse(response, 404, 'Not found');
    if (!methods.includes(request.method ?? '')) {
      return refuse(response, 405, 'Method not allowed', { allow: methods.join(', ') });
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

/** Only what is meant to be served, and how: the library has more routes than this provider has uses for. */
const protocolMethods: Readonly<Record<string, readonly string[]>> = {
  '/.well-known/openid-configuration': ['GET', 'HEAD'],
  '/.well-known/oauth-authorization-server': ['GET', 'HEAD'],
  [routes.authorization]: ['GET'],
  [routes.jwks]: ['GET', 'HEAD'],
  [routes.userinfo]: ['GET', 'POST'],
  [routes.backchannel_authentication]: ['POST'],
  [routes.device_authorization]: ['POST'],
  [routes.registration]: ['POST'],
  [routes.revocation]: ['POST'],
  [routes.token]: ['POST'],
};

function methodsOf(path: string): readonly string[] | undefined {
  // By which a browser goes back to the program, once the person has decided.
  if (/^\/authorize\/[\w-]{1,64}$/.test(path)) return ['GET'];
  return Object.hasOwn(protocolMethods, path) ? protocolMethods[path] : undefined;
}

function refuse(response: ServerResponse, status: number, text: string, headers: OutgoingHttpHeaders = {}) {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(`${text}\n`);
}
