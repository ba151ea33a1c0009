import { printableAscii } from '../text/unseen.ts';
import { PASSED_ON, type Provenance } from '../trading/proposal.ts';
import type { Outside } from './kind.ts';

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

/**
 * Why an order takes its owner's eyes though a mandate covers it; empty where it does not. A mandate is a yes beforehand to
 * what they ask for, or what a named rule computes. What a document, a tool or the model thought of has nobody's word behind
 * it, and where text from outside is in the conversation it may be behind anything that was said in it.
 */
export function needsTap({ fields, tainted_by = [] }: Provenance): Outside[] {
  const others = Object.entries(fields).filter(([, { source }]) => source === 'other');
  const named = others.map(([field, { from }]) => (from === undefined ? field : `${field} (${from})`));
  return [
    ...(tainted_by.length === 0
      ? []
      : [
          {
            reason: 'PROVENANCE_TAINTED',
            text: `text from outside is in the conversation: ${tainted_by.join(', ')}`,
          } as const,
        ]),
    ...(named.length === 0
      ? []
      : [{ reason: 'PROVENANCE_OTHER', text: `not in its owner’s words: ${named.join(', ')}` } as const]),
  ];
}
