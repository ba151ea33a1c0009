/** `warn` is worth knowing and stops nothing; `skip` could not be looked at, for the reason given. */
type FindingStatus = 'ok' | 'warn' | 'fail' | 'skip';

/** What one check found. Nothing secret may be in it. */
export interface Finding {
  readonly check: string;
  readonly status: FindingStatus;
  readonly message: string;
  /** What to do about it; every `warn` and `fail` has one. */
  readonly fix?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

type Extra = Pick<Finding, 'details'>;

export const ok = (check: string, message: string, extra: Extra = {}): Finding => ({
  check,
  status: 'ok',
  message,
  ...extra,
});
export const skip = (check: string, message: string): Finding => ({ check, status: 'skip', message });
export const warn = (check: string, message: string, fix: string, extra: Extra = {}): Finding => ({
  check,
  status: 'warn',
  message,
  fix,
  ...extra,
});
export const fail = (check: string, message: string, fix: string, extra: Extra = {}): Finding => ({
  check,
  status: 'fail',
  message,
  fix,
  ...extra,
});
