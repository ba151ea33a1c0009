import { safeLine } from '../../../text/sanitize.ts';
import { isObject } from '../../../values/is-object.ts';

/** `ended`: sign-ins through the company end. `disabled`: they end, and new sign-ins fail until `enabled`. */
export type SignalEffect = 'ended' | 'disabled' | 'enabled';

const CAEP = 'https://schemas.openid.net/secevent/caep/event-type';
const RISC = 'https://schemas.openid.net/secevent/risc/event-type';

/** Event types of OpenID Continuous Access Evaluation Profile 1.0 §3.1, §3.3. */
export const SESSION_REVOKED_EVENT = `${CAEP}/session-revoked`;
export const CREDENTIAL_CHANGE_EVENT = `${CAEP}/credential-change`;

/**
 * Effects of CAEP and RISC events (OpenID RISC Profile 1.0 §2). `sessions-revoked` is an old name of `session-revoked`.
 */
const effects: Readonly<Record<string, SignalEffect>> = {
  [SESSION_REVOKED_EVENT]: 'ended',
  [CREDENTIAL_CHANGE_EVENT]: 'ended',
  [`${RISC}/account-disabled`]: 'disabled',
  [`${RISC}/account-purged`]: 'disabled',
  [`${RISC}/account-enabled`]: 'enabled',
  [`${RISC}/sessions-revoked`]: 'ended',
};

/** Effects from strictest to mildest. The strictest applies if a token has several events. */
const STRICTEST: readonly SignalEffect[] = ['disabled', 'ended', 'enabled'];

const MAX_REASON_LENGTH = 200;

export interface SecurityEvent {
  readonly effect: SignalEffect;
  readonly event: string;
  /** The reason for administrators as one sanitized line, or an empty string. */
  readonly reason: string;
}

/**
 * Reads the claim `events` (RFC 8417 §2.2). Unknown types of events are not an error: if the claim contains no others,
 * returns undefined.
 * @throws {SignalRejectionError} `invalid_request` if there are no events
 */
export function parseEventsClaim(events: unknown): SecurityEvent | undefined {
  if (!isObject(events) || Object.keys(events).length === 0) {
    throw new SignalRejectionError('invalid_request', 'the token has no events');
  }
  for (const wanted of STRICTEST) {
    const found = Object.entries(events).find(([type]) => Object.hasOwn(effects, type) && effects[type] === wanted);
    if (found === undefined) continue;
    const [type, facts] = found;
    if (!isObject(facts)) throw new SignalRejectionError('invalid_request', 'an event must be an object');
    return {
      effect: wanted,
      event: type.slice(type.lastIndexOf('/') + 1),
      reason: adminReason(facts.reason_admin),
    };
  }
  return undefined;
}

/** Returns a reason as one line. A reason has a string per language (CAEP §2) or, in older drafts, is a string. */
function adminReason(reason: unknown): string {
  const text = isObject(reason) ? (reason.en ?? Object.values(reason)[0]) : reason;
  return typeof text === 'string' ? safeLine(text, MAX_REASON_LENGTH) : '';
}

/** The subset of RFC 8935 §2.4 error codes that this endpoint returns. */
type SignalErrorCode =
  | 'invalid_request'
  | 'invalid_key'
  | 'invalid_issuer'
  | 'invalid_audience'
  | 'authentication_failed';

/** The reason why a signal was rejected. The message never quotes the token. */
export class SignalRejectionError extends Error {
  override name = 'SignalRejection';
  readonly fault: SignalErrorCode;

  constructor(fault: SignalErrorCode, message: string) {
    super(message);
    this.fault = fault;
  }
}
