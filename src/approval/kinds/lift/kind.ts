import { type Clock, formatUtcSeconds } from '../../../machine/clock.ts';
import type { HaltStore } from '../../../store/halts.ts';
import { HttpProblem } from '../../../trading/http-problem.ts';
import { type LiftResult, type LiftSubject, lift } from '../../../trading/kinds/lift.ts';
import type { ExecutionOutcome, Kind } from '../../kind.ts';

/** Returns the kind of proposal that lifts a halt. Any client may halt trading, but resuming needs approval. */
export function liftKind({ halts, clock }: { halts: HaltStore; clock: Clock }): Kind<object, LiftSubject, LiftResult> {
  return {
    ...lift,
    async complete(_request, { proposer, subjectId, expiresAt }) {
      const { state, since } = await halts.current(proposer.sub, clock.now());
      if (since === undefined) throw new HttpProblem(409, 'not_halted', 'trading is not halted');
      return {
        subject: {
          halted_at: new Date(since).toISOString(),
          ...(state === 'reducing' ? { state } : {}),
          client_lift_id: subjectId,
          expires_at: expiresAt,
        },
        subjectId,
        worstCase: {
          cash: null,
          price: null,
          text: 'This places no order. Orders can be proposed again.',
        },
        warnings: [],
        shows: { [state === 'reducing' ? 'Reducing only' : 'Halted']: formatUtcSeconds(since) },
      };
    },
    describe: ({ state }) => (state === 'reducing' ? 'ALLOW BUYING AGAIN' : 'LIFT THE HALT'),
    expiresAt: ({ expires_at }) => expires_at,
    fingerprint: ({ halted_at, state }) => JSON.stringify([halted_at, state]),
    async execute({ halted_at }, { sub }): Promise<ExecutionOutcome<LiftResult>> {
      // Succeeds even if the halt has ended already. Lifts no halt that began after `halted_at`, because the owner was
      // asked about an earlier one.
      await halts.lift(sub, Date.parse(halted_at), clock.now());
      return { outcome: 'executed', result: { lifted_at: formatUtcSeconds(clock.now()) } };
    },
    settle: async () => undefined,
    resultText: () => 'trading resumed',
  };
}
