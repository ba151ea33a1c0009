/** RFC 8935 §2.4, as far as a receiver of ours says them. */
export type SignalFault =
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
