import type { Command, Option } from 'commander';
import { TradeAgentError } from '../../errors/errors.ts';

/** Flags that mean the same in every command. Their variable names don't contain the command. */
const sharedFlags = new Set([
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
  'log-format',
]);

/** Flags that get no variable, because another variable already exists (NO_COLOR) or because they are not settings. */
const flagsWithoutVariable = new Set(['no-color', 'help', 'version', 'decide']);

/**
 * Flags that risk money or answer a prompt. They must be given on the command line, because an environment variable
 * would apply to every command that inherits it.
 */
const commandLineOnlyFlags = new Set([
  'confirm-live',
  'max-order',
  'decide',
  'yes',
  'confirm',
  'suggest',
  'lift',
  'tool',
]);

const tradingCommands = new Set(['orders buy', 'orders sell', 'orders replace', 'orders cancel']);

const isCommandLineOnly = (command: Command, flag: string) =>
  commandLineOnlyFlags.has(flag) || (tradingCommands.has(commandWords(command).join(' ')) && !sharedFlags.has(flag));

/** Mutually exclusive flags. If one is set on the command line, the variable of the other is ignored. */
const exclusiveFlags = new Map([
  ['server', 'profile'],
  ['profile', 'server'],
]);

/** The only value of `--approval` that a variable may set, because a run with this value never trades. */
const SAFE_APPROVAL = 'deny';

/**
 * Returns the flag's variable, such as `TRADE_AGENT_MODEL` for `--model` and `TRADE_AGENT_PHONE_USER` for `phone
 * --user`. Returns undefined if the flag has no variable.
 */
export function flagVariableName(command: Command, option: Option): string | undefined {
  const flag = option.long?.replace(/^--/, '');
  if (flag === undefined || flagsWithoutVariable.has(flag) || isCommandLineOnly(command, flag)) return undefined;
  return variableName(command, flag);
}

function variableName(command: Command, flag: string): string {
  const words = sharedFlags.has(flag) ? [flag] : [...commandWords(command), flag];
  return ['trade-agent', ...words].join('_').replaceAll('-', '_').toUpperCase();
}

export function commandWords(command: Command): string[] {
  return command.parent === null ? [] : [...commandWords(command.parent), command.name()];
}

/**
 * Sets flags that are missing on the command line from environment variables. A switch is on for 1, true, yes and on,
 * and off for 0, false, no and off. A variable for a flag that risks money is an error, because people who set it
 * expect it to work.
 * @throws {TradeAgentError} `usage`, with the variable's name
 */
export function readFlagsFromEnvironment(command: Command, env: NodeJS.ProcessEnv): void {
  for (let at: Command | null = command; at !== null; at = at.parent) {
    for (const option of at.options) readFlag(at, option, env);
  }
}

function readFlag(command: Command, option: Option, env: NodeJS.ProcessEnv): void {
  const flag = option.long?.replace(/^--/, '');
  if (flag === undefined || isGiven(command, option, flag)) return;
  const mustBeSaid = isCommandLineOnly(command, flag);
  const name = mustBeSaid ? variableName(command, flag) : flagVariableName(command, option);
  const text = name && env[name];
  if (!name || !text) return;
  if (mustBeSaid) throw commandLineOnlyError(name, option.flags);
  const value = parseFlag(option, name, text);
  if (flag === 'approval' && value !== SAFE_APPROVAL) {
    throw commandLineOnlyError(name, option.flags, `, or set it to ${SAFE_APPROVAL}`);
  }
  command.setOptionValueWithSource(option.attributeName(), value, 'env');
}

/** Returns whether the flag already has a value, or is excluded by another flag on the command line. */
function isGiven(command: Command, option: Option, flag: string): boolean {
  const other = exclusiveFlags.get(flag);
  if (other !== undefined && command.getOptionValueSource(other) === 'cli') return true;
  return ![undefined, 'default'].includes(command.getOptionValueSource(option.attributeName()));
}

function commandLineOnlyError(name: string, flags: string, otherwise = ''): TradeAgentError {
  return new TradeAgentError('usage', `${name} is set, but this option can only be given on the command line`, {
    hint: `Unset the variable and pass ${flags} on the command line${otherwise}.`,
  });
}

function parseFlag(option: Option, name: string, text: string): unknown {
  if (option.isBoolean()) return parseSwitch(name, text);
  if (option.parseArg === undefined) return text;
  try {
    const texts = Array.isArray(option.defaultValue) ? text.split(',') : [text];
    let value: unknown = option.defaultValue;
    for (const one of texts) value = option.parseArg(one.trim(), value);
    return value;
  } catch (error) {
    const { message, hint } = error as { message: string; hint?: string };
    throw new TradeAgentError('usage', `${name}: ${message}`, {
      hint: hint ?? `The variable sets ${option.flags}. Unset or correct it.`,
    });
  }
}

function parseSwitch(name: string, text: string): boolean {
  const word = text.toLowerCase();
  if (['1', 'true', 'yes', 'on'].includes(word)) return true;
  if (['0', 'false', 'no', 'off'].includes(word)) return false;
  throw new TradeAgentError('usage', `${name} can't be "${text}"`, { hint: 'Set the variable to 1 or 0.' });
}
