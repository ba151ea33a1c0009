import { isUnreachable } from './patience.ts';
import type { Ended } from './program.ts';

/** What the agent says of an approval at the end. */
export interface FinalApproval {
  readonly id: string;
  readonly status: string;
  readonly code: string;
  readonly order: { readonly symbol: string; readonly client_order_id: string };
}

/** `run --output json`, as far as it is looked at. */
export interface RunAnswer {
  readonly status: string;
  readonly approvals: readonly FinalApproval[];
}

/** Undefined where another run held the thread, or nobody answered in time: it says so, and is asked again. */
export function answerOf({ code, stdout, stderr }: Ended): RunAnswer | undefined {
  if (code === 12) return undefined;
  try {
    const answer = JSON.parse(stdout);
    if (answer.schema === 'trade-agent.run/1') return answer;
    if (isUnreachable(answer.error?.code)) return undefined;
  } catch {
    // Told below.
  }
  throw new Error(`a resume ended with ${code}: ${stdout}${stderr}`);
}

/** One line for the report. */
export function summary({ code, signal, stdout, stderr }: Ended): string {
  if (signal !== null) return signal;
  try {
    const { status, approvals, approval, error } = JSON.parse(stdout);
    const each = ((approvals ?? [approval]) as FinalApproval[]).map((one) => `${one.order.symbol} ${one.status}`);
    return [code, status, ...each, error?.message].filter((part) => part !== undefined).join(', ');
  } catch {
    return `${code}, ${stdout.slice(0, 500)}${stderr.slice(-500)}`;
  }
}
