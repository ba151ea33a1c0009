import { TradeAgentError } from '../errors/errors.ts';
import { type ExpectedValues, MAX_CREDENTIAL_LENGTH } from './credential-store.ts';

export function pickValues<N extends string>(
  values: Record<string, string | undefined>,
  names: readonly N[],
): Record<N, string | undefined> {
  return Object.fromEntries(names.map((name) => [name, values[name]])) as Record<N, string | undefined>;
}

/**
 * Checks that the store can hold the values.
 * @param longest maximum length in characters; by default, the limit of the smallest keychain
 * @throws {TradeAgentError} `credential_store_unavailable` for a longer value
 */
export function assertValueLengths(values: Partial<Record<string, string>>, longest = MAX_CREDENTIAL_LENGTH): void {
  for (const [name, value = ''] of Object.entries(values)) {
    if (value.length > longest) {
      throw new TradeAgentError(
        'credential_store_unavailable',
        `the ${name} is too long to store (${value.length} characters, at most ${longest})`,
        {
          hint: 'Configure the identity provider to issue shorter tokens: opaque tokens, or tokens with fewer claims.',
        },
      );
    }
  }
}

export function matchesExpected(
  stored: Readonly<Record<string, string | undefined>>,
  expected: ExpectedValues<string> | undefined,
): boolean {
  return Object.entries(expected ?? {}).every(([name, value]) => stored[name] === value);
}
