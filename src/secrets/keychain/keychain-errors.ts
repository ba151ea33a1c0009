import { TradeAgentError } from '../../errors/errors.ts';
import type { KeychainFailure } from './keychain-protocol.ts';

/** What each of a keychain's troubles means, and what helps; the file store is named as the way round where one is needed. */
const explanations: Record<KeychainFailure, { message: string; hint: string }> = {
  library_missing: {
    message: 'the keychain library could not be loaded',
    hint: 'On Linux install libsecret (Debian, Ubuntu: apt install libsecret-1-0; Fedora: dnf install libsecret), or choose --credential-store file.',
  },
  no_bus: {
    message: 'there is no keychain here: no D-Bus session is running',
    hint: 'Use a desktop session, or choose --credential-store file (an encrypted file) on a server.',
  },
  no_service: {
    message: 'no keychain service answers on the D-Bus session',
    hint: 'Start gnome-keyring or KWallet, or choose --credential-store file.',
  },
  locked: {
    message: 'the keychain is locked',
    hint: 'Unlock it, then try again. Over SSH on macOS: security unlock-keychain.',
  },
  denied: {
    message: 'the keychain is there, but access to it was refused',
    hint: 'Allow it when the system asks (on macOS also in Keychain Access), or in the sandbox or policy this program runs under; otherwise choose --credential-store file.',
  },
  other: { message: 'the keychain failed', hint: 'Try again, or choose --credential-store file.' },
};

/** @param reason the library's own words; they never contain a stored value */
export function keychainUnusable(failure: KeychainFailure, reason: string): TradeAgentError {
  const { message, hint } = explanations[failure];
  return new TradeAgentError(
    failure === 'locked' ? 'credential_store_locked' : 'credential_store_unavailable',
    failure === 'other' ? `${message}: ${reason}` : message,
    { hint, details: { state: failure, reason } },
  );
}

export function keychainTimedOut(timeoutMs: number): TradeAgentError {
  return new TradeAgentError(
    'credential_store_unavailable',
    `the keychain did not answer within ${timeoutMs / 1000} seconds`,
    {
      hint: 'It may be waiting for you to unlock it: do so, then try again. Otherwise restart the keychain service.',
      details: { state: 'hung' },
    },
  );
}
