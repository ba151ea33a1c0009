import { TradeAgentError } from '../trading/errors.ts';
import type { Approval, ApprovalStore } from './approval-store.ts';

/** The store as seen by what deals with one kind of approval. */
export function ofKind<K extends Approval['kind']>(
  store: ApprovalStore,
  kind: K,
): ApprovalStore<Extract<Approval, { kind: K }>> {
  type Own = Extract<Approval, { kind: K }>;
  const own = (approval: Approval): Own => {
    if (approval.kind === kind) return approval as Own;
    throw new TradeAgentError('state_corrupt', `approval ${approval.id} is no ${kind}'s`);
  };
  const ownOrNone = (approval: Approval | undefined) => (approval === undefined ? undefined : own(approval));
  return {
    ...store,
    draft: (...proposal) => own(store.draft(...proposal)),
    find: (key) => ownOrNone(store.find(key)),
    get: (id) => ownOrNone(store.get(id)),
    list: (filter) => store.list(filter).filter((approval) => approval.kind === kind) as Own[],
    move: (...change) => {
      const { moved, approval } = store.move(...change);
      return { moved, approval: own(approval) };
    },
    updatePlaced: (id, placed) => own(store.updatePlaced(id, placed)),
    lease: (...request) => ownOrNone(store.lease(...request)),
  };
}
