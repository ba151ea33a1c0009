import { Cron } from 'croner';
import { TradeAgentError } from '../errors/errors.ts';
import { findClosestMatch } from '../text/closest-match.ts';
import type { TradingDay } from '../trading/activity.ts';
import { parseMarketTime, type RunTimes, runTimesForMarketTime } from './run-times.ts';
import { EXCHANGE_ZONE, type Timing } from './schedule.ts';

/**
 * Maximum number of cached expressions. They are cached because parsing takes longer than evaluating, and many people
 * use the same expressions.
 */
const MAX_CACHED_EXPRESSIONS = 1_000;
const cachedRunTimes = new Map<string, RunTimes>();

/** Returns the run times of a timing. @param calendar used only for times relative to the opening or closing */
export function timingRunTimes(timing: Timing, calendar: readonly TradingDay[]): RunTimes {
  if ('cron' in timing) return cachedCronMoments(timing.cron);
  const edge = parseMarketTime(timing.at);
  if (edge === undefined) throw new TypeError('a stored market time is invalid');
  return runTimesForMarketTime(edge, calendar);
}

function cachedCronMoments(cron: string): RunTimes {
  const known = cachedRunTimes.get(cron);
  if (known !== undefined) return known;
  if (cachedRunTimes.size >= MAX_CACHED_EXPRESSIONS) cachedRunTimes.clear();
  const runTimes = cronRunTimes(cron);
  cachedRunTimes.set(cron, runTimes);
  return runTimes;
}

const days = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const nicknames = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];

const fields = [
  { name: 'minute', range: '0-59', names: [] },
  { name: 'hour', range: '0-23', names: [] },
  { name: 'day of the month', range: '1-31', names: [] },
  { name: 'month', range: '1-12 or JAN-DEC', names: months },
  { name: 'day of the week', range: '0-7 (0 and 7 are Sunday) or SUN-SAT', names: days },
] as const;

/**
 * Returns the run times of a cron expression with five fields (or a macro such as `@daily`) in the exchange's time
 * zone. A time that is skipped when daylight saving time begins occurs right after the gap. A time that is repeated
 * when daylight saving time ends occurs once, unless the minute or the hour is `*` or a step.
 * @throws {TradeAgentError} `usage`; the error names the invalid field and suggests a correction
 */
export function cronRunTimes(expression: string): RunTimes {
  const job = parseCron(expression.trim());
  if (job === undefined) throw explainInvalid(expression);
  if (job.nextRun() === null) {
    throw new TradeAgentError('usage', `"${expression}" never occurs`, {
      hint: 'No month has that day. Correct the day of the month or the month.',
    });
  }
  return {
    upTo: (now, most) => job.previousRuns(most, endOfSecond(now)).map((date) => date.getTime()),
    after: (now, count) => job.nextRuns(count, new Date(now)).map((date) => date.getTime()),
  };
}

/**
 * Returns the end of the current second. The library works in whole seconds and excludes its reference time, but a run
 * time that equals `now` must be included.
 */
function endOfSecond(now: number): Date {
  return new Date((Math.floor(now / 1000) + 1) * 1000);
}

function parseCron(expression: string): Cron | undefined {
  // The library would parse an expression without exactly five fields as a date.
  if (!expression.startsWith('@') && expression.split(/\s+/).length !== 5) return undefined;
  if (expression.startsWith('@') && !nicknames.includes(expression.toLowerCase())) return undefined;
  try {
    return new Cron(expression, {
      timezone: EXCHANGE_ZONE,
      mode: '5-part',
      // As in cron: fixed times are neither skipped nor repeated when the clock changes.
      fixedTimeRule: 'no-wildcard',
      paused: true,
    });
  } catch {
    return undefined;
  }
}

function usageError(message: string, hint: string): TradeAgentError {
  return new TradeAgentError('usage', message, { hint });
}

function explainInvalid(expression: string): TradeAgentError {
  const text = expression.trim();
  if (text.startsWith('@')) {
    const nearest = findClosestMatch(text, nicknames);
    return usageError(
      `unknown schedule "${text}"`,
      nearest === undefined ? `Choose from ${nicknames.join(', ')}.` : `Did you mean ${nearest}?`,
    );
  }
  const time = /^(\d{1,2}):(\d\d)$/.exec(text);
  if (time !== null) {
    return usageError(
      `"${text}" is not a cron expression`,
      `Did you mean "${Number(time[2])} ${Number(time[1])} * * 1-5", from Monday to Friday?`,
    );
  }
  const parts = text.split(/\s+/).filter(Boolean);
  if (parts.length !== fields.length) {
    const five = parts.slice(parts[0] === '0' ? 1 : 0).slice(0, 5);
    return usageError(
      `"${expression}" is not a cron expression: it has ${parts.length} fields, not 5`,
      parts.length === 6
        ? `Seconds and years are not supported. Did you mean "${five.join(' ')}"?`
        : 'The fields are minute, hour, day of the month, month, day of the week: "30 9 * * 1-5".',
    );
  }
  const at = parts.findIndex(
    (part, index) => parseCron(fields.map((_, i) => (i === index ? part : '*')).join(' ')) === undefined,
  );
  const [part, field] = [parts[at], fields[at]];
  if (part !== undefined && field !== undefined) return invalidField(part, field);
  return usageError(`"${expression}" is not a cron expression`, 'Use an expression such as "30 9 * * 1-5".');
}

function invalidField(part: string, { name, range, names }: (typeof fields)[number]): TradeAgentError {
  const known: readonly string[] = names;
  const unknown = part.replace(/[A-Z]{3}(?![A-Z])/gi, (word) => (known.includes(word.toUpperCase()) ? '' : word));
  const word = /[A-Za-z]+/.exec(unknown)?.[0];
  const nearest = word === undefined ? undefined : findClosestMatch(word, known);
  return usageError(
    `"${part}" is not a valid ${name} in a cron expression`,
    nearest !== undefined && word !== undefined
      ? `Did you mean "${part.replace(word, nearest)}"?`
      : `Use ${range}, lists (1,3), ranges (1-5), * and steps (*/15).`,
  );
}
