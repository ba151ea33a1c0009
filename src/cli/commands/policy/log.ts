import { policyLog } from '../../../app/policy/policy-log.ts';
import { safeLine } from '../../../text/shown-text.ts';
import type { RecordedDecision } from '../../../trading/policy-views.ts';
import type { Context } from '../../context.ts';

export interface LogOptions {
  readonly denied?: boolean;
  readonly limit: number;
}

export async function printLog(context: Context, { denied = false, limit }: LogOptions): Promise<void> {
  const decisions = await policyLog(context, { denied, limit });
  await context.output.result('policy-log', { decisions }, async () => {
    if (decisions.length === 0) return 'Nothing was decided yet.';
    const { table } = await import('../../text/table.ts');
    return table<RecordedDecision>(
      [
        { head: 'WHEN', cell: ({ at }) => safeLine(at) },
        { head: 'DECIDED', cell: ({ effect, stage }) => `${effect} (${stage})` },
        { head: 'ORDER', cell: ({ facts }) => orderText(facts) },
        { head: 'RULES', cell: ({ policy }) => safeLine(policy).slice(0, 8) },
        { head: 'WHY', cell: ({ reasons, texts }) => safeLine(texts[0] ?? reasons[0] ?? '') },
      ],
      decisions,
    );
  });
}

/** `BUY 5 AAPL limit`, as far as it is known. */
function orderText({ order }: RecordedDecision['facts']): string {
  const { side, qty, notional, symbol, type } = (order ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof side !== 'string') return '';
  const amount = qty ?? (notional === undefined ? '' : `$${String(notional)} of`);
  return safeLine([side.toUpperCase(), amount, symbol, type].map((word) => String(word ?? '')).join(' '));
}
