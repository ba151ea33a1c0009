import { safeLine } from '../../../text/shown-text.ts';
import { isObject } from '../../../values/is-object.ts';

/**
 * What a signal does. `ended`: what came by the company ends, and a sign-in after it works again. `disabled`: nobody gets in
 * by this company's word until `enabled`.
 */
export type SignalEffect = 'ended' | 'disabled' | 'enabled';

const CAEP = 'https://schemas.openid.net/secevent/caep/event-type';
const RISC = 'https://schemas.openid.net/secevent/risc/event-type';

/** OpenID Continuous Access Evaluation Profile 1.0 §3.1, §3.3. */
export const SESSION_REVOKED = `${CAEP}/session-revoked`;
export const CREDENTIAL_CHANGE = `${CAEP}/credential-change`;

/** CAEP, and OpenID RISC Profile 1.0 §2; the last is its older word for a session's end. */
const effects: Readonly<Record<string, SignalEffect>> = {
  [SESSION_REVOKED]: 'ended',
  [CREDENTIAL_CHANGE]: 'ended',
  [`${RISC}/account-disabled`]: 'disabled',
  [`${RISC}/account-purged`]: 'disabled',
  [`${RISC}/account-enabled`]: 'enabled',
  [`${RISC}/sessions-revoked`]: 'ended',
};

/** Of several events in one token the one that takes away most counts. */
const STRICTEST: readonly SignalEffect[] = ['disabled', 'ended', 'enabled'];

const LONGEST_REASON = 200;

export interface SecurityEvent {
  readonly effect: SignalEffect;
  /** The last part of its type: `session-revoked`. */
  readonly event: string;
  /** Why, for administrators; one line of their text, shortened and without control characters. Empty where none is given. */
  readonly reason: string;
}

/**
 * What a token's `events` (RFC 8417 §2.2) come to.
 * @returns undefined where none of them is known here, which is no fault: they are for somebody else
 * @throws {SignalRefusal} `invalid_request` where there are none
 */
export function eventOf(events: unknown): SecurityEvent | undefined {
  if (!isObject(events) || Object.keys(events).length === 0) {
    throw new SignalRefusal('invalid_request', 'the token has no events');
  }
  for (const wanted of STRICTEST) {
    const found = Object.entries(events).find(
      ([type]) => Object.hasOwn(effects, type) && effects[type] === wanted,
    );
    if (found === undefined) continue;
    const [type, facts] = found;
    if (!isObject(facts)) throw new SignalRefusal('invalid_request', 'an event is no object');
    return {
      effect: wanted,
      event: type.slice(type.lastIndexOf('/') + 1),
      reason: reasonOf(facts.reason_admin),
    };
  }
  return undefined;
}

/** CAEP §2: a text for each language, or (in earlier drafts) one text. */
function reasonOf(reason: unknown): string {
  const text = isObject(reason) ? (reason.en ?? Object.values(reason)[0]) : reason;
  return typeof text === 'string' ? safeLine(text, LONGEST_REASON) : '';
}

/** RFC 8935 §2.4, as far as a receiver of ours says them. */
type SignalFault =
  | 'invalid_request'
  | 'invalid_key'
  | 'invalid_issuer'
  | 'invalid_audience'
  | 'authentication_failed';

/** A token that is not taken; its message never quotes the token. */
export class SignalRefusal extends Error {
  override name = 'SignalRefusal';
  readonly fault: SignalFault;

  constructor(fault: SignalFault, message: string) {
    super(message);
    this.fault = fault;
  }
}
