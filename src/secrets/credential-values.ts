import { TradeAgentError } from '../errors/errors.ts';
import { type Expected, MAX_VALUE_LENGTH } from './credential-store.ts';

export function pick<N extends string>(
  values: Record<string, string | undefined>,
  names: readonly N[],
): Record<N, string | undefined> {
  return Object.fromEntries(names.map((name) => [name, values[name]])) as Record<N, string | undefined>;
}

/** @throws {TradeAgentError} `credential_store_unavailable` for a value longer than is kept: by itself, than the smallest keychain takes */
export function assertLengths(values: Partial<Record<string, string>>, longest = MAX_VALUE_LENGTH): void {
  for (const [name, value = ''] of Object.entries(values)) {
    if (value.length > longest) {
      throw new TradeAgentError(
        'credential_store_unavailable',
        `the ${name} is too long to be kept (${value.length} characters, at most ${longest})`,
        {
          hint: 'Have the identity provider issue shorter tokens, by leaving claims out or making them opaque.',
        },
      );
    }
  }
}

export function holds(
  stored: Readonly<Record<string, string | undefined>>,
  expected: Expected<string> | undefined,
): boolean {
  return Object.entries(expected ?? {}).every(([name, value]) => stored[name] === value);
}
