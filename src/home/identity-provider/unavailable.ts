import { errors } from 'oidc-provider';

/** Who was asked elsewhere gives no answer now: the same request may be sent again (RFC 6749 §4.1.2.1's name, with RFC 9110 §15.6.4's status). */
export function temporarilyUnavailable(message: string): Error {
  return Object.assign(new errors.TemporarilyUnavailable(message), { status: 503, statusCode: 503 });
}
