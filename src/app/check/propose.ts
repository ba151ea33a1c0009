import { MOST_ORDERS, type RunOptions } from '../../agent/agent.ts';
import type { AgentEvent, RunResult } from '../../agent/events.ts';
import { shortId } from '../../agent/short-id.ts';
import type { Proposal } from '../../check/check.ts';
import { isTradeAgentError } from '../../errors/errors.ts';
import type { Notice } from '../../notify/notice.ts';
import type { AccountMemory } from '../../store/check-store.ts';
import type { MandateView } from '../../trading/mandate/mandate.ts';
import type { App } from '../app.ts';
import { mandatesFor } from '../mandates/mandates-for.ts';
import { followRun } from '../run/follow-run.ts';
import { askedSymbols } from './asked-symbols.ts';

/**
 * Proposes orders the way of any order: the agent calls the tools, the person approves on their phone, the gateway
 * places each once, whether or not this still runs. As many as a run takes; the rest is for the next check. Ends as
 * the run does, also where it was interrupted.
 * @param account the number of the account that they are for
 * @param show is given what happens meanwhile
 */
export async function propose(
  app: App,
  proposals: readonly Proposal[],
  account: string,
  memory: AccountMemory<Notice>,
  options: Pick<RunOptions, 'approval' | 'requestedBy' | 'ttl'> & { readonly due?: number | undefined },
  show: (event: AgentEvent) => void | Promise<void>,
): Promise<RunResult> {
  const { clock, signal } = app;
  const asked = proposals.slice(0, MOST_ORDERS);
  const thread = shortId('th_', 10);
  for (const { rule } of asked)
    if (rule !== undefined) await memory.proposing(rule.name, rule.definition, thread, clock.now());

  const [agent, mandates] = await Promise.all([app.agent({ model: 'builtin' }), mandatesInForce(app)]);
  const { due = clock.now(), ...runOptions } = options;
  // Under mandates each order is covered, or asked about, by itself.
  const together = mandates.every(({ state, terms }) => state !== 'active' || terms.account !== account);
  const result = await followRun(
    agent.run(
      { orders: asked.map(({ request }) => request), composedBy: 'check', together, thread },
      { requestedBy: 'check', ...runOptions, mandates: mandatesFor(mandates, account, due), signal },
    ),
    signal,
    show,
    thread,
  );
  for (const { rule, request } of asked) {
    if (rule !== undefined && result.approvals.some((one) => askedSymbols(one).includes(request.symbol)))
      await memory.asked(rule.name, rule.definition);
  }
  return result;
}

/** A gateway that has no mandates, or can't tell of them, is asked for orders as ever. */
async function mandatesInForce(app: App): Promise<MandateView[]> {
  try {
    return await (await app.gateway()).mandates();
  } catch (error) {
    if (app.signal.aborted || !isTradeAgentError(error)) throw error;
    return [];
  }
}
