import type { ApprovalView } from '../../agent/events.ts';
import { safeLine } from '../../text/sanitize.ts';
import type { Attention } from '../terminal/attention.ts';
import { subjectHeadline } from '../text/approval-subject.ts';

export function createPhoneAlerter(attention: Attention): (waiting: readonly ApprovalView[]) => void {
  const rung = new Set<string>();
  let calling = false;
  return (approvals) => {
    const waiting = approvals.filter(({ status }) => status === 'requested');
    for (const approval of waiting) {
      if (rung.has(approval.id)) continue;
      rung.add(approval.id);
      calling = true;
      attention.alert(`approval needed on your phone: ${safeLine(subjectHeadline(approval))}`);
    }
    if (calling && waiting.length === 0) {
      calling = false;
      attention.clear();
    }
  };
}
