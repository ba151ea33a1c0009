import type { ApprovalMode } from '../../agent/agent.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { schedulePattern } from '../../schedule/schedule.ts';
import type { SchedulerName } from '../../schedule/scheduler-names.ts';

/** What a schedule is to be, as a person says it. */
export interface AddOptions {
  readonly cron?: string;
  readonly at?: string;
  readonly name?: string;
  readonly whenOpen?: boolean;
  /** Also as soon as a price passes a limit of its rules: at a server, which watches prices. */
  readonly onPrice?: boolean;
  readonly rules?: string;
  readonly report?: string;
  readonly suggest?: boolean;
  readonly buyOnly?: boolean;
  readonly approval: ApprovalMode;
  readonly with?: SchedulerName;
  /** Writes nothing, only says what would be. */
  readonly dryRun?: boolean;
  /** Milliseconds that a run may take. */
  readonly timeout?: number | undefined;
}

/** How long a run may take unless --timeout says otherwise: less than what lies between two wake-ups. */
export const USUAL_TIMEOUT_MS = 10 * 60_000;

/** @throws {TradeAgentError} `usage` */
export function checkName(name: string | undefined): void {
  if (name !== undefined && !schedulePattern.test(name)) {
    throw new TradeAgentError('usage', `"${name}" can't be a schedule's name`, {
      hint: 'Use small letters, digits, "-" and "_", 32 at most.',
    });
  }
}
