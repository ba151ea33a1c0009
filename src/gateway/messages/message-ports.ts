import type { MessagePorts } from '../../approval/kinds/message/kind.ts';
import { callerOf } from '../orders/order-ports.ts';
import type { MessageDesk } from './message-desk.ts';

/** What the approval kernel does about messages: by this gateway's desk. */
export function messagePorts(desk: MessageDesk): MessagePorts {
  return {
    requireConnected: (draft, proposer) => desk.requireConnected(draft, proposer),
    send: async (approved, owner) => (await desk.sendApproved(approved, callerOf(owner))).message,
    outcome: (asker, id) => desk.outcome(callerOf(asker), id),
  };
}
