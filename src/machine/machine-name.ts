import { hostname } from 'node:os';
import { printableAscii } from '../text/invisible.ts';

export function getMachineName(): string {
  return toPrintableName(hostname());
}

/** Returns the name as at most 64 printable ASCII characters, which every consent page can show. */
export function toPrintableName(name: string): string {
  return printableAscii(name, 64) || 'unnamed';
}
