import type { ApprovalRequest } from '../../identity-provider/approval-requests.ts';
import { requestView } from './request-view.ts';

/** When the terminal's code is picked among three rather than shown. */
export type NumberMatching = 'live' | 'always' | 'off';

/** Whether this request's code is picked. Then nothing else may tell it: not the card, and no lock screen. */
export function isCodePicked(request: Pick<ApprovalRequest, 'details'>, matching: NumberMatching): boolean {
  return matching === 'always' || (matching === 'live' && requestView(request).live);
}
