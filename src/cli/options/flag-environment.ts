import type { Command, Option } from 'commander';
import { TradeAgentError } from '../../errors/errors.ts';

/** Flags with the same meaning in every command: their variable has no command in its name. */
const shared = new Set([
  'profile',
  'server',
  'output',
  'jq',
  'timeout',
  'verbose',
  'approval',
  'read-only',
  'thread',
  'max-turns',
  'model',
  'base-url',
]);

/** These have variables of their own (NO_COLOR), or are no settings. */
const without = new Set(['no-color', 'help', 'version', 'decide']);

/** These decide about money or answer a question, and a variable would do so in every command that inherits it. */
const spoken = new Set(['confirm-live', 'max-order', 'decide', 'yes', 'confirm', 'suggest', 'lift', 'tool']);

/** Every flag of these commands says what to trade, so only the command line sets it. */
const trading = new Set(['orders buy', 'orders sell', 'orders replace', 'orders cancel']);

const isSpoken = (command: Command, flag: string) =>
  spoken.has(flag) || (trading.has(commandWords(command).join(' ')) && !shared.has(flag));

/** The command line has the last word among them. */
const exclusive = new Map([
  ['server', 'profile'],
  ['profile', 'server'],
]);

/** The only value of `--approval` that a variable may set: it never trades. */
const TIGHTEST_APPROVAL = 'deny';

/**
 * The environment variable of a flag: `TRADE_AGENT_MODEL` for `--model`, `TRADE_AGENT_PHONE_USER` for `phone --user`.
 * Undefined where it has none.
 */
export function variableOf(command: Command, option: Option): string | undefined {
  const flag = option.long?.replace(/^--/, '');
  if (flag === undefined || without.has(flag) || isSpoken(command, flag)) return undefined;
  return nameOf(command, flag);
}

function nameOf(command: Command, flag: string): string {
  const words = shared.has(flag) ? [flag] : [...commandWords(command), flag];
  return ['trade-agent', ...words].join('_').replaceAll('-', '_').toUpperCase();
}

/** The words of a command, without the program's name. */
export function commandWords(command: Command): string[] {
  return command.parent === null ? [] : [...commandWords(command.parent), command.name()];
}

/**
 * Sets flags that the command line left out from the environment. A switch takes 1, true, yes, on and 0, false, no,
 * off. A variable for a flag that decides about money is refused, not ignored: whoever set it relies on it.
 * @throws {TradeAgentError} `usage`, naming the variable
 */
export function readFlagsFromEnvironment(command: Command, env: NodeJS.ProcessEnv): void {
  for (let at: Command | null = command; at !== null; at = at.parent) {
    for (const option of at.options) readFlag(at, option, env);
  }
}

function readFlag(command: Command, option: Option, env: NodeJS.ProcessEnv): void {
  const flag = option.long?.replace(/^--/, '');
  if (flag === undefined || isGiven(command, option, flag)) return;
  const mustBeSaid = isSpoken(command, flag);
  const name = mustBeSaid ? nameOf(command, flag) : variableOf(command, option);
  const text = name && env[name];
  if (!name || !text) return;
  if (mustBeSaid) throw mustBeSpoken(name, option.flags);
  const value = read(option, name, text);
  if (flag === 'approval' && value !== TIGHTEST_APPROVAL) {
    throw mustBeSpoken(name, option.flags, `, or set it to ${TIGHTEST_APPROVAL}`);
  }
  command.setOptionValueWithSource(option.attributeName(), value, 'env');
}

/** Whether the flag has a value already, or is excluded by one on the command line. */
function isGiven(command: Command, option: Option, flag: string): boolean {
  const other = exclusive.get(flag);
  if (other !== undefined && command.getOptionValueSource(other) === 'cli') return true;
  return ![undefined, 'default'].includes(command.getOptionValueSource(option.attributeName()));
}

function mustBeSpoken(name: string, flags: string, otherwise = ''): TradeAgentError {
  return new TradeAgentError('usage', `${name} is set, but no variable decides about money`, {
    hint: `Unset it and write ${flags} on the command line${otherwise}.`,
  });
}

function read(option: Option, name: string, text: string): unknown {
  if (option.isBoolean()) return readSwitch(name, text);
  if (option.parseArg === undefined) return text;
  try {
    // A repeatable flag takes a list.
    const texts = Array.isArray(option.defaultValue) ? text.split(',') : [text];
    let value: unknown = option.defaultValue;
    for (const one of texts) value = option.parseArg(one.trim(), value);
    return value;
  } catch (error) {
    const { message, hint } = error as { message: string; hint?: string };
    throw new TradeAgentError('usage', `${name}: ${message}`, {
      hint: hint ?? `It stands in for ${option.flags}; unset it, or correct it.`,
    });
  }
}

function readSwitch(name: string, text: string): boolean {
  const word = text.toLowerCase();
  if (['1', 'true', 'yes', 'on'].includes(word)) return true;
  if (['0', 'false', 'no', 'off'].includes(word)) return false;
  throw new TradeAgentError('usage', `${name} can't be "${text}"`, { hint: 'Set it to 1 or 0.' });
}
