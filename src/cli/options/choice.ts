import { resolve } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import { TradeAgentError } from '../../errors/errors.ts';
import { findClosestMatch } from '../../text/closest-match.ts';

/** Creates an option that accepts only fixed values. For a misspelled value, the error suggests a similar value. */
export function createChoiceOption(flags: string, description: string, values: readonly string[]): Option {
  return new Option(flags, description).choices(values).argParser((text: string) => {
    if (values.includes(text)) return text;
    const nearest = findClosestMatch(text, values);
    const meant = nearest === undefined ? '' : `Did you mean ${nearest}? `;
    throw new InvalidArgumentError(`${meant}Choose ${joinWithOr(values)}.`);
  });
}

function joinWithOr(values: readonly string[]): string {
  return `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}

/** Returns a parser for dates. @throws {TradeAgentError} `usage` */
export function createDateParser(flag: string): (text: string) => string {
  return (text) => {
    const at = Date.parse(`${text}T00:00:00Z`);
    const isDate = /^\d{4}-\d\d-\d\d$/.test(text) && new Date(at || 0).toISOString().slice(0, 10) === text;
    if (isDate) return text;
    throw new TradeAgentError('usage', `${flag} can't be "${text}"`, {
      hint: 'Use the format YYYY-MM-DD, as in 2026-12-24.',
    });
  };
}

/** Parses a file descriptor's number. Rejects stdin, stdout and stderr. */
export function parseFileDescriptor(text: string): number {
  const number = Number(text);
  if (!/^\d{1,4}$/.test(text) || number < 3) {
    throw new InvalidArgumentError('Use a file descriptor of 3 or higher, as in: --passphrase-fd 3 3< file.');
  }
  return number;
}

/** Returns a parser for whole numbers from 1 to `most`. @throws {TradeAgentError} `usage` */
export function createCountParser(most: number, flag = '--limit', hint = `Choose a number from 1 to ${most}.`) {
  return (text: string): number => {
    if (/^[1-9]\d*$/.test(text) && Number(text) <= most) return Number(text);
    throw new TradeAgentError('usage', `${flag} can't be "${text}"`, { hint });
  };
}

/** Parses the maximum length of a list, from 1 to 500. @throws {TradeAgentError} `usage` */
export const parseListLimit = createCountParser(500);

export function createPortParser(last: number): (text: string) => number {
  return (text) => {
    const port = Number(text);
    if (!/^\d+$/.test(text) || port > last) {
      throw new InvalidArgumentError(`Choose a port from 0 to ${last}.`);
    }
    return port;
  };
}

/**
 * Returns the `config.yaml` setting for the key of a credential file: `passphrase`, or the absolute path of a key file.
 * @param option the option's name, for the error message
 * @throws {TradeAgentError} `usage` if secrets are not stored in a file, or if the value is empty
 */
export function parseCredentialKey(text: string, store: 'keychain' | 'file', option: string): string {
  if (store !== 'file') {
    throw new TradeAgentError('usage', `${option} only applies to credentials in a file`, {
      hint: 'The keychain manages its own key. To use a file, choose the file store as well.',
    });
  }
  if (text === '')
    throw new TradeAgentError('usage', `${option} is empty`, {
      hint: 'Pass "passphrase" or the path of a key file.',
    });
  return text === 'passphrase' ? text : resolve(text);
}
