import type { Session } from '../identity-provider/sessions.ts';
import type { PhoneServices } from './phone-services.ts';

/**
 * Whether a session still stands: one that a passkey opened does while that is enrolled. Whoever removes a key, and is
 * interrupted before they end its sessions, leaves none of them.
 */
export async function isOpenSession(
  { id, username, credentialId }: Session,
  { keys, sessions }: Pick<PhoneServices, 'keys' | 'sessions'>,
): Promise<boolean> {
  if (!sessions.isOpen(id)) return false;
  if (credentialId === undefined) return true;
  if ((await keys.list(username)).some((key) => key.credentialId === credentialId)) return true;
  sessions.endOf(username, credentialId);
  return false;
}
