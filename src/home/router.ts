import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Clock } from '../machine/clock.ts';
import { createHostCheck } from '../net/host-check.ts';
import { publishedDetailsTypes } from './identity-provider/approval-subject.ts';
import type { ActiveFaults } from './identity-provider/faults.ts';
import {
  BACKCHANNEL_LOGOUT_PATH,
  CONNECTED_ACCOUNTS_PATH,
  DETAILS_TYPES_PATH,
  type Handler,
  OUTCOME_PATH,
  protocolRoutes,
  SIGNALS_PATH,
  TRANSMITTER_METADATA_PATH,
} from './identity-provider/protocol/protocol.ts';
import { transmitterMetadata } from './identity-provider/transmitter/transmitter.ts';
import { isPhonePath } from './phone/phone-app.ts';

const SLOW_RESPONSE_MS = 2000;

interface RouterOptions {
  readonly issuer: string;
  readonly faults: ActiveFaults;
  readonly clock: Clock;
  readonly closing: AbortSignal;
  readonly protocol: Handler;
  readonly phone: Handler;
  readonly connectedAccounts: Handler;
  readonly outcomes: Handler;
  /** Receives security events from companies. Undefined if no companies are configured. */
  readonly signals: Handler | undefined;
  /** Whether this home sends its own security events and publishes the transmitter metadata. */
  readonly transmits: boolean;
}

export function createRouter(options: RouterOptions): Handler {
  const { issuer, faults, clock, closing, protocol } = options;
  const isForUs = createHostCheck([issuer]);
  return async (request, response) => {
    const { url = '', method = '' } = request;
    const [path = ''] = url.split(/[?#]/, 1);
    if (!isForUs(request, response)) return;
    // Other code could interpret any other request target (`*`, a whole URL, `//host`) as another server's address.
    if (!/^\/(?!\/)/.test(path)) return respondText(response, 400, 'The request target is not a path on this server');
    if (faults.take('slow_answers')) await clock.sleep(SLOW_RESPONSE_MS, closing);
    const own = ownHandler(options, path, method);
    if (own !== undefined) return await own(request, response);
    const methods = allowedMethods(path);
    if (methods === undefined) return respondText(response, 404, 'Not found');
    if (!methods.includes(method)) return respondMethodNotAllowed(response, methods);
    if (path === protocolRoutes.token && faults.take('idp_5xx')) {
      return respondJson(response, 503, { error: 'temporarily_unavailable' }, { 'retry-after': '1' });
    }
    await protocol(request, response);
  };
}

function ownHandler(
  { issuer, phone, connectedAccounts, outcomes, signals, transmits }: RouterOptions,
  path: string,
  method: string,
): Handler | undefined {
  if (isPhonePath(path)) return phone;
  if (path.startsWith(`${CONNECTED_ACCOUNTS_PATH}/`)) return connectedAccounts;
  if (path === OUTCOME_PATH) return outcomes;
  if (path === DETAILS_TYPES_PATH) {
    return async (_, response) =>
      method === 'GET'
        ? respondJson(response, 200, publishedDetailsTypes())
        : respondMethodNotAllowed(response, ['GET']);
  }
  if (signals !== undefined && (path === SIGNALS_PATH || path === BACKCHANNEL_LOGOUT_PATH)) {
    return method === 'POST' ? signals : async (_, response) => respondMethodNotAllowed(response, ['POST']);
  }
  if (transmits && path === TRANSMITTER_METADATA_PATH && method === 'GET') {
    return async (_, response) => respondJson(response, 200, transmitterMetadata(issuer));
  }
  return undefined;
}

/** Allowed methods by path. The library's other routes are not served. */
const protocolMethods: Readonly<Record<string, readonly string[]>> = {
  '/.well-known/openid-configuration': ['GET', 'HEAD'],
  '/.well-known/oauth-authorization-server': ['GET', 'HEAD'],
  [protocolRoutes.authorization]: ['GET'],
  [protocolRoutes.jwks]: ['GET', 'HEAD'],
  [protocolRoutes.userinfo]: ['GET', 'POST'],
  [protocolRoutes.backchannel_authentication]: ['POST'],
  [protocolRoutes.device_authorization]: ['POST'],
  [protocolRoutes.registration]: ['POST'],
  [protocolRoutes.revocation]: ['POST'],
  [protocolRoutes.token]: ['POST'],
};

/** Paths of the protocol's endpoints, for naming metrics and spans. */
export const protocolPaths = [...Object.keys(protocolMethods), OUTCOME_PATH, DETAILS_TYPES_PATH];

function allowedMethods(path: string): readonly string[] | undefined {
  // Path to which the browser is sent after the person's decision. It redirects to the program.
  if (/^\/authorize\/[\w-]{1,64}$/.test(path)) return ['GET'];
  return Object.hasOwn(protocolMethods, path) ? protocolMethods[path] : undefined;
}

function respondText(response: ServerResponse, status: number, text: string, headers: OutgoingHttpHeaders = {}) {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(`${text}\n`);
}

function respondMethodNotAllowed(response: ServerResponse, allowed: readonly string[]): void {
  respondText(response, 405, 'Method not allowed', { allow: allowed.join(', ') });
}

function respondJson(response: ServerResponse, status: number, body: object, headers: OutgoingHttpHeaders = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
