import { hostname } from 'node:os';
import { printableAscii } from '../text/unseen.ts';

/** This machine's name, as whoever is asked to consent gets to see it: here, and on the provider's page. */
export function machineName(): string {
  return printableName(hostname());
}

/** A machine's name as every consent page can show it: at most 64 printable ASCII characters. */
export function printableName(name: string): string {
  return printableAscii(name, 64) || 'unnamed';
}
