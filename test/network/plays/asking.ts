import { formatUtcSeconds } from '../../../src/machine/clock.ts';
import type { Proposal, ProposalRequestInput } from '../../../src/trading/proposal.ts';
import { isSettledState } from '../../../src/trading/proposal.ts';
import { MANDATE_TOTAL, TTL_S } from '../constants.ts';
import type { Person, Refused } from '../person.ts';
import { until } from '../until.ts';

/** How the order of a scenario is approved: on the phone, or in advance by a mandate. */
export type By = 'tap' | 'mandate';

const SOON_MS = 60_000;

/** A mandate for one order of about 800 dollars, and no second one. @returns its id */
export async function grantMandate(alice: Person): Promise<string> {
  const proposal = await alice.propose({
    kind: 'mandate',
    mandate: {
      symbols: ['MSFT'],
      max_order_notional: '1000.00',
      max_total_notional: `${MANDATE_TOTAL}.00`,
      max_orders: 10,
      cadence: 'on_demand',
      expires_at: formatUtcSeconds(Date.now() + 5 * 86_400_000),
    },
    requested_by: 'network tests',
  });
  await alice.tap(proposal.id);
  const granted = await until('the mandate is granted', SOON_MS, async () => {
    const now = await alice.proposal(proposal.id);
    return now.state === 'executed' && now;
  });
  return (granted.result as { mandate: string }).mandate;
}

const order = (qty: string): ProposalRequestInput => ({
  kind: 'order',
  order: { symbol: 'MSFT', side: 'buy', qty },
  ttl: TTL_S,
  requested_by: 'network tests',
});

const fromRule = { source: 'computed', from: 'network tests' } as const;

/** Each quantity once: equal proposals are one. */
export const underMandate = (mandate: string, qty: string): ProposalRequestInput => ({
  ...(order(qty) as Extract<ProposalRequestInput, { kind: 'order' }>),
  mandate,
  approval: 'mandate',
  // An order that nobody is asked about must say where each of its values comes from.
  provenance: { fields: { symbol: fromRule, side: fromRule, qty: fromRule } },
});

/** Proposes the order of a scenario, and approves it. `afterMs`: lets that much of its time pass before the tap. */
export async function approvedOrder(
  alice: Person,
  mandate: string | undefined,
  tapAt: (proposal: Proposal) => Promise<void> = async () => undefined,
): Promise<Proposal> {
  if (mandate !== undefined) return await alice.propose(underMandate(mandate, '2'));
  const proposal = await alice.propose(order('2'));
  await tapAt(proposal);
  await alice.tap(proposal.id);
  return proposal;
}

/** Tries to use the mandate a second time. */
export function secondUse(alice: Person, mandate: string, qty: string): Promise<Proposal | Refused> {
  return alice.ask(underMandate(mandate, qty));
}

export const shownAnswer = (answer: Proposal | Refused): string =>
  'id' in answer ? answer.state : `refused (${answer.reason ?? answer.code})`;

/** Waits until nothing more is expected to happen to a proposal. Undefined if it never comes to that. */
export async function settled(alice: Person, id: string, limitMs: number): Promise<Proposal> {
  return await until(`proposal ${id} is settled`, limitMs, async () => {
    const now = await alice.proposal(id);
    return isSettledState(now.state) && now;
  });
}
