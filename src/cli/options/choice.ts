import { resolve } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import { TradeAgentError } from '../../errors/errors.ts';
import { closestMatch } from '../../text/closest-match.ts';

/** An option with fixed values; a near miss is answered with the likely one. */
export function choiceOption(flags: string, description: string, values: readonly string[]): Option {
  return new Option(flags, description).choices(values).argParser((text: string) => {
    if (values.includes(text)) return text;
    const nearest = closestMatch(text, values);
    const meant = nearest === undefined ? '' : `Did you mean ${nearest}? `;
    throw new InvalidArgumentError(`${meant}Choose ${inWords(values)}.`);
  });
}

function inWords(values: readonly string[]): string {
  return `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}

/** Parses a date of an option such as `--from`. @throws {TradeAgentError} `usage` */
export function dateOption(flag: string): (text: string) => string {
  return (text) => {
    const at = Date.parse(`${text}T00:00:00Z`);
    const isDate = /^\d{4}-\d\d-\d\d$/.test(text) && new Date(at || 0).toISOString().slice(0, 10) === text;
    if (isDate) return text;
    throw new TradeAgentError('usage', `${flag} can't be "${text}"`, {
      hint: 'Write a date as in 2026-12-24.',
    });
  };
}

/** Parses the number of an open descriptor other than the terminal's. */
export function descriptorNumber(text: string): number {
  const number = Number(text);
  if (!/^\d{1,4}$/.test(text) || number < 3) {
    throw new InvalidArgumentError('A descriptor is a number from 3 on, as in: --passphrase-fd 3 3< file.');
  }
  return number;
}

/** Parses a number from 1 to `most`. @throws {TradeAgentError} `usage` */
export function countUpTo(most: number, flag = '--limit', hint = `Give a number from 1 to ${most}.`) {
  return (text: string): number => {
    if (/^[1-9]\d*$/.test(text) && Number(text) <= most) return Number(text);
    throw new TradeAgentError('usage', `${flag} can't be "${text}"`, { hint });
  };
}

/** Parses the length of a list, 1 to 500. @throws {TradeAgentError} `usage` */
export const parseLimit = countUpTo(500);

export function portUpTo(last: number): (text: string) => number {
  return (text) => {
    const port = Number(text);
    if (!/^\d+$/.test(text) || port > last) {
      throw new InvalidArgumentError(`A port is a whole number from 0 to ${last}.`);
    }
    return port;
  };
}

/**
 * The key of a credential file, as in `config.yaml`: `passphrase`, or the absolute path of a key file.
 * @param option as typed, for the message
 * @throws {TradeAgentError} `usage` where secrets are kept elsewhere, or for an empty value
 */
export function credentialKeySetting(text: string, store: 'keychain' | 'file', option: string): string {
  if (store !== 'file') {
    throw new TradeAgentError('usage', `${option} is for credentials in a file`, {
      hint: 'The keychain has a key of its own. For a file say so, too.',
    });
  }
  if (text === '')
    throw new TradeAgentError('usage', `${option} is empty`, {
      hint: 'Say "passphrase", or the path of a key file.',
    });
  return text === 'passphrase' ? text : resolve(text);
}
