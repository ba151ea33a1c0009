import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import { errors } from 'oidc-provider';
import type { Clock } from '../../machine/clock.ts';
import { clientAddress } from '../../net/trusted-proxy.ts';
import { createRateLimit, type RateLimit } from './rate-limit.ts';

/**
 * How often who may try what. What is wrong is counted by where it came from, never by whose door it was tried at alone:
 * a stranger who tries their luck uses up their own tries.
 */
export interface RequestLimits {
  /** Who a request comes from, as far as that can be told: one machine, or one IPv6 network. */
  readonly addressOf: (request: IncomingMessage) => string;
  /** Device sign-ins begun, by address. */
  readonly deviceStarts: RateLimit;
  /** Programs that send a browser here to be let in, by its address. */
  readonly authorizations: RateLimit;
  /** Programs that register with nobody behind them, by address. */
  readonly openRegistrations: RateLimit;
  /** Documents of clients that are read, by the address that has them read. */
  readonly documents: RateLimit;
  /**
   * What was refused at an endpoint for programs (a wrong token, assertion or code), by address; by client where it had
   * proven who it is. Only what is wrong is answered 429: what is right is always answered, as nobody can guess it.
   */
  readonly refusals: RateLimit;
  /** Signals of companies, by address. */
  readonly signals: RateLimit;
  /** Clients that were let in, by person. */
  readonly registrations: RateLimit;
  /** Questions for a person's phone, by client. */
  readonly questions: RateLimit;
  /** Wrong device codes (34 bits, RFC 8628 §5.1), by address and person. */
  readonly deviceCodes: RateLimit;
  /** Passkey sign-ins that failed, by address. */
  readonly signIns: RateLimit;
  /** Wrong recovery codes, by address and person. */
  readonly recoveryCodes: RateLimit;
  /** Wrong recovery codes for whomever, by address. */
  readonly recoveries: RateLimit;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;

export function createRequestLimits(options: {
  readonly clock: Clock;
  /** Whose request it is; as the server tells of it, unless said otherwise. */
  readonly clientAddress?: ((request: IncomingMessage) => string) | undefined;
}): RequestLimits {
  const { clock, clientAddress: addressOf = clientAddress } = options;
  const limit = (burst: number, everyMs: number) => createRateLimit({ burst, everyMs, clock });
  return {
    addressOf: (request) => networkOf(addressOf(request)),
    deviceStarts: limit(100, 10 * SECOND),
    authorizations: limit(60, 5 * SECOND),
    openRegistrations: limit(20, MINUTE),
    documents: limit(20, 30 * SECOND),
    refusals: limit(100, SECOND),
    signals: limit(300, SECOND / 10),
    registrations: limit(60, 5 * MINUTE),
    questions: limit(60, 5 * SECOND),
    deviceCodes: limit(20, 15 * SECOND),
    signIns: limit(30, 10 * SECOND),
    recoveryCodes: limit(10, 90 * SECOND),
    recoveries: limit(50, 30 * SECOND),
  };
}

/** Whoever has one IPv6 address has the 2^64 of its network. */
function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [left = '', right] = address.toLowerCase().split('::', 2);
  const head = left.split(':').filter(Boolean);
  if (right === undefined) return `${head.slice(0, 4).join(':')}::/64`;
  const tail = right.split(':').filter(Boolean);
  const zeros = Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => '0');
  return `${[...head, ...zeros, ...tail].slice(0, 4).join(':')}::/64`;
}

/** What a program is told that tried too often. */
export function tooManyBody(wait: number): { error: string; error_description: string } {
  return { error: 'too_many_requests', error_description: `tried too often: come again in ${wait} s` };
}

/** The same, from inside one of the library's hooks. */
export function tooManyError(wait: number): Error {
  const { error, error_description } = tooManyBody(wait);
  return Object.assign(new errors.CustomOIDCProviderError(error, error_description), {
    status: 429,
    statusCode: 429,
  });
}
