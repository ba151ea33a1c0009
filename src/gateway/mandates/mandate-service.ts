import type { CountedMandate, MandateStore } from '../../store/mandate-store.ts';
import type { ProposalStore } from '../../store/proposal-store.ts';
import type { StandingOrderStore } from '../../store/standing-order-store.ts';
import { currentSlot } from '../../trading/mandate/cadence.ts';
import type { MandateView, StandingOrderState } from '../../trading/mandate/mandate.ts';
import { effectiveMandateState } from '../../trading/mandate/mandate-state.ts';
import { newYorkMidnight } from '../../trading/new-york-time.ts';
import { defined } from '../../values/defined.ts';
import { mandateEndedProblem, noSuchMandateProblem } from './mandate-ports.ts';

/** Lists and ends a person's own mandates. Creating, widening or resuming a mandate needs a proposal instead. */
export type MandateService = ReturnType<typeof createMandateService>;

export function createMandateService(options: {
  readonly mandates: MandateStore;
  readonly standing: StandingOrderStore;
  readonly proposals: Pick<ProposalStore, 'get'>;
  readonly now: () => number;
  /** Called after a change, so that the pending entries are written to the audit log. */
  readonly noted: () => void;
}) {
  const { mandates, standing, proposals, now, noted } = options;
  const query = () => ({ since: newYorkMidnight(now()) });
  const viewOf = async (mandate: CountedMandate): Promise<MandateView> => {
    const { sub, id, terms } = mandate;
    const view = mandateView(mandate, now());
    if (terms.standing === undefined) return view;
    const found = await standing.find(sub, id);
    if (found === undefined) return view;
    const { state, dueAt } = found;
    const last = await orderOutcome(proposals, found.last);
    const isComing = dueAt !== null && state === 'watching' && view.state === 'active';
    const stands: StandingOrderState = {
      state: view.state === 'active' || view.state === 'exhausted' || state !== 'watching' ? state : 'stopped',
      ...(isComing ? { next_at: new Date(dueAt).toISOString() } : {}),
      ...defined({ last }),
    };
    return { ...view, standing: stands };
  };
  /** Finds one of the person's mandates. @throws {HttpProblem} 404 `not_found` */
  const find = async (sub: string, id: string) => {
    const mandate = await mandates.find(sub, id, query());
    if (mandate === undefined) throw noSuchMandateProblem();
    return viewOf(mandate);
  };
  return {
    /** Returns the person's mandates, newest first. */
    list: async (sub: string) => Promise.all((await mandates.list(sub, query())).map(viewOf)),
    find,
    /**
     * Suspends or revokes a mandate, so that no further order can use it. Idempotent.
     * @throws {HttpProblem} 404 `not_found`, 409 `mandate_ended`
     * @param by who ended the mandate: the client's ID, or `phone`
     */
    async end(sub: string, id: string, to: 'suspended' | 'revoked', by: string): Promise<MandateView> {
      const outcome = await mandates.end({ sub, id }, to, by, now());
      noted();
      const mandate = await find(sub, id);
      if (outcome === 'barred') throw mandateEndedProblem(mandate.state);
      return mandate;
    },
  };
}

/** Returns the outcome of a standing order's latest order: `refused` if the order was proposed but never placed. */
async function orderOutcome(
  proposals: Pick<ProposalStore, 'get'>,
  last: StandingOrderState['last'],
): Promise<StandingOrderState['last']> {
  if (last?.outcome !== 'ordered' || last.proposal === undefined) return last;
  const { state, reason } = (await proposals.get(last.proposal)) ?? {};
  if (state === undefined || !['blocked', 'cancelled', 'expired'].includes(state)) return last;
  return {
    ...last,
    outcome: 'refused',
    ...(reason == null ? {} : { code: reason.code, text: reason.text }),
  };
}

function mandateView(mandate: CountedMandate, now: number): MandateView {
  const { id, terms, used, createdAt, updatedAt } = mandate;
  const slot = currentSlot(terms.cadence, now);
  return {
    id,
    state: effectiveMandateState(mandate, now),
    terms,
    used,
    ...defined({ slot }),
    created_at: new Date(createdAt).toISOString(),
    updated_at: new Date(updatedAt).toISOString(),
  };
}
