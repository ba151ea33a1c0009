import { hostname } from 'node:os';

/** This machine's name, as whoever is asked to consent gets to see it: here, and on the provider's page. */
export function machineName(): string {
  return printableName(hostname());
}

/** A machine's name as every consent page can show it: at most 64 printable ASCII characters. */
export function printableName(name: string): string {
  return name.replace(/[^\x20-\x7e]/g, '?').slice(0, 64) || 'unnamed';
}
