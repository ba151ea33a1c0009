import { PASSED_ON, type Provenance } from '../trading/proposal.ts';
import { printableAscii } from '../trading/unseen.ts';

/** Of a client that nobody here can vouch for: every field is its own idea. */
export function foreignProvenance(request: Readonly<Record<string, unknown>>, client: string): Provenance {
  const from = printableAscii(client, 80) || '?';
  const fields = Object.keys(request).filter((field) => /^[a-z_]{1,32}$/.test(field));
  return { fields: Object.fromEntries(fields.map((field) => [field, { source: 'other' as const, from }])) };
}

/** Whether everything in it is the person's own words, or what follows where they said nothing. */
export function isTyped({ fields, tainted_by = [] }: Provenance): boolean {
  return (
    tainted_by.length === 0 &&
    Object.values(fields).every(({ source }) => source === 'user' || source === 'default')
  );
}

/** Whether our own client says itself that all of it is somebody else's agent's: that one is held to what any other is. */
export function isPassedOn({ fields }: Provenance): boolean {
  return Object.values(fields).every(({ source, from }) => source === 'other' && from?.startsWith(PASSED_ON));
}
