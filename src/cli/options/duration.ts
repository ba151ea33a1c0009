import { TradeAgentError } from '../../errors/errors.ts';

const milliseconds = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
} as const;

/** Maximum duration. Node's timers would fire immediately for more than 2^31-1 ms (24.8 days). */
const MAX_DURATION_MS = 7 * milliseconds.d;
const MAX_AGE_MS = 36_500 * milliseconds.d;

/**
 * Parses a duration such as `90s`, `5m`, `1h30m` or `500ms` into milliseconds. Rejects a number without a unit, because
 * some programs would read it as seconds and others as milliseconds.
 * @throws {TradeAgentError} `usage`
 */
export function parseDuration(text: string): number {
  const total = parseMilliseconds(text, '90s, 5m, 1h');
  if (total > 0 && total <= MAX_DURATION_MS) return total;
  throw outOfRangeError(text, 'Choose a duration above zero, up to 7d.');
}

/**
 * Parses an age such as `12h`, `30d` or `8w` into milliseconds. Unlike {@link parseDuration}, allows more than a week.
 * @throws {TradeAgentError} `usage`
 */
export function parseAge(text: string): number {
  const total = parseMilliseconds(text, '12h, 30d, 8w');
  if (total > 0 && total <= MAX_AGE_MS) return total;
  throw outOfRangeError(text, 'Choose an age above zero, up to 36500d.');
}

function parseMilliseconds(text: string, example: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g)];
  const whole = parts.map((part) => part[0]).join('');
  if (parts.length === 0 || whole !== text) {
    throw new TradeAgentError('usage', `"${text}" is not a duration`, {
      hint: `Use a number with a unit, such as ${example}.`,
    });
  }
  const total = parts.reduce(
    (sum, [, count, unit]) => sum + Number(count) * milliseconds[unit as keyof typeof milliseconds],
    0,
  );
  return Math.ceil(total);
}

function outOfRangeError(text: string, hint: string): TradeAgentError {
  return new TradeAgentError('usage', `a duration of ${text} is out of range`, { hint });
}

/** Formats a duration for display: `4:05` if it is shorter than an hour, otherwise `1h 05m`. Rounds up to seconds. */
export function formatCountdown(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  if (seconds < 3600) return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
  return `${Math.floor(seconds / 3600)}h ${two(Math.floor((seconds % 3600) / 60))}m`;
}
