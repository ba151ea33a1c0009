import { InvalidArgumentError } from 'commander';

/** Reads the number of an open descriptor; those of the terminal are none of them. */
export function descriptorNumber(text: string): number {
  const number = Number(text);
  if (!/^\d{1,4}$/.test(text) || number < 3) {
    throw new InvalidArgumentError('A descriptor is a number from 3 on, as in: --passphrase-fd 3 3< file.');
  }
  return number;
}
