import type { ApprovalRequest } from '../../identity-provider/approval-requests.ts';

/** What of a request is on its card. */
export type CardRequest = Pick<
  ApprovalRequest,
  'id' | 'code' | 'clientName' | 'clientNote' | 'bindingMessage' | 'details' | 'expiresAt'
>;

/** What a card shows beside the request: what this person, in this browser, still has to do before they approve. */
export interface CardState {
  readonly formToken: string;
  /** The codes to pick the terminal's from; undefined where it is shown instead. */
  readonly codes: readonly string[] | undefined;
  /** Whether the person must type once that this is real money. */
  readonly confirm: boolean;
  /**
   * Why nothing can be approved here, whatever it is. Where it is only read, nothing can be denied either: it says where it is
   * decided, as far as that is known.
   */
  readonly cannot: 'no_key' | 'signed_in_otherwise' | { readonly decideAt: string | undefined } | undefined;
}
