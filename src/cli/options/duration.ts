import { TradeAgentError } from '../../errors/errors.ts';

const milliseconds = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
} as const;

/** Node's timers fire at once beyond 2^31-1 ms (24.8 days); nothing here waits longer than a week. */
const LONGEST = 7 * milliseconds.d;
const LONGEST_AGE = 36_500 * milliseconds.d;

/**
 * Parses a duration such as `90s`, `5m`, `1h30m` or `500ms` into milliseconds. A number without a unit is refused: some
 * programs would take it for seconds, others for milliseconds. @throws {TradeAgentError} `usage`
 */
export function parseDuration(text: string): number {
  const total = inMilliseconds(text, '90s, 5m, 1h');
  if (total > 0 && total <= LONGEST) return total;
  throw outOfRange(text, 'Choose something longer than nothing and at most 7d.');
}

/**
 * Parses an age such as `12h`, `30d` or `8w` into milliseconds; it may be long, since nothing waits for it.
 * @throws {TradeAgentError} `usage`
 */
export function parseAge(text: string): number {
  const total = inMilliseconds(text, '12h, 30d, 8w');
  if (total > 0 && total <= LONGEST_AGE) return total;
  throw outOfRange(text, 'Choose something longer than nothing and at most 36500d.');
}

function inMilliseconds(text: string, example: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g)];
  const whole = parts.map((part) => part[0]).join('');
  if (parts.length === 0 || whole !== text) {
    throw new TradeAgentError('usage', `"${text}" is not a duration`, {
      hint: `Write a number with its unit: ${example}.`,
    });
  }
  const total = parts.reduce(
    (sum, [, count, unit]) => sum + Number(count) * milliseconds[unit as keyof typeof milliseconds],
    0,
  );
  return Math.ceil(total);
}

function outOfRange(text: string, hint: string): TradeAgentError {
  return new TradeAgentError('usage', `a duration of ${text} is out of range`, { hint });
}

/** A time span for people, at most two units: `4:05` below an hour, `1h 05m` above. Seconds round up. */
export function countdown(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  if (seconds < 3600) return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
  return `${Math.floor(seconds / 3600)}h ${two(Math.floor((seconds % 3600) / 60))}m`;
}
