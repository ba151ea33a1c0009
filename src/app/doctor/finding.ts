import { defined } from '../../values/defined.ts';

/** `warn` does not count as a failure. `skip` means that nothing was checked, for the reason in `message`. */
type FindingStatus = 'ok' | 'warn' | 'fail' | 'skip';

export interface Finding {
  readonly check: string;
  readonly status: FindingStatus;
  readonly message: string;
  /** How to fix the problem. Required for `warn` and `fail`. */
  readonly fix?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

type Details = Finding['details'];

export const ok = (check: string, message: string, details?: Details) =>
  finding('ok', check, message, undefined, details);
export const skip = (check: string, message: string) => finding('skip', check, message);
export const warn = (check: string, message: string, fix: string, details?: Details) =>
  finding('warn', check, message, fix, details);
export const fail = (check: string, message: string, fix: string, details?: Details) =>
  finding('fail', check, message, fix, details);

function finding(status: FindingStatus, check: string, message: string, fix?: string, details?: Details): Finding {
  return { check, status, message, ...defined({ fix, details }) };
}
