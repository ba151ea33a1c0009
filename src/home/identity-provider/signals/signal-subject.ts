import { z } from 'zod';
import { SignalRefusal } from './signal-refusal.ts';

/** RFC 9493 §3.2.3. */
const issuerSubject = z.object({
  format: z.literal('iss_sub'),
  iss: z.string().min(1),
  sub: z.string().min(1).max(255),
});

/** OpenID Shared Signals Framework 1.0 §3.2: a person, and which session; of sessions nothing is known here but whose they are. */
const complexSubject = z.object({ format: z.literal('complex'), user: issuerSubject });

const subjectSchema = z.union([issuerSubject, complexSubject]);

/**
 * Whom a signal is about: the `sub` that the company knows them by.
 * @param subject the claim `sub_id` (RFC 9493 §4.1)
 * @throws {SignalRefusal} `invalid_request` for a form by which nobody is known here (an e-mail address, a number, an id of
 *   the company's own), and for somebody of another issuer
 */
export function subjectOf(subject: unknown, issuer: string): string {
  const read = subjectSchema.safeParse(subject);
  if (!read.success) {
    throw new SignalRefusal('invalid_request', 'sub_id must be iss_sub, or complex with a user of that form');
  }
  const { iss, sub } = read.data.format === 'complex' ? read.data.user : read.data;
  if (iss !== issuer) throw new SignalRefusal('invalid_request', 'sub_id names somebody of another issuer');
  return sub;
}
