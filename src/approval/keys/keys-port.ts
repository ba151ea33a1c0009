import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server';
import type { Clock } from '../../machine/clock.ts';
import type { SigningKey, SigningKeyStore } from '../../store/signing-key-store.ts';
import type { ApprovalStatement } from '../signature/statement.ts';
import type { VerifiedEvidence } from '../signature/verify-evidence.ts';

/** What a passkey is asked to sign for an approval, beside the statement that it stands for. */
export interface ApprovalOptions extends PublicKeyCredentialRequestOptionsJSON {
  /** Goes into the evidence as it is. */
  readonly statement: ApprovalStatement;
}

/**
 * The keys that people approve with. All that it does, it does by proof: by the secret of a pairing, or by what an enrolled
 * key signed. So a page or an identity provider that lies about who somebody is can enrol, remove and approve nothing.
 *
 * What throws throws a {@link Refusal} with a code of its own for each way to fail; `signature_…` where something signed is
 * not what it should be.
 *
 * @example
 * ```ts
 * import type { RegistrationResponseJSON } from '@simplewebauthn/server';
 * import type { Keys } from './keys-port.ts';
 *
 * // On a phone that followed the link of a pairing.
 * export async function enrolPhone(
 *   keys: Keys,
 *   secret: string,
 *   ask: (options: unknown) => Promise<RegistrationResponseJSON>,
 * ): Promise<string> {
 *   const registration = await ask(await keys.creationOptions({ secret }));
 *   return (await keys.enrol({ secret }, registration, 'my phone')).credentialId;
 * }
 * ```
 */
export interface Keys {
  /** Where approvals are signed: the page's origin, and the host that keys are enrolled for. */
  readonly site: { readonly origin: string; readonly rpId: string };
  /** Lets one phone enrol a key for a person: once, within ten minutes. A newer pairing of the same person ends this one. */
  pair(sub: string): Promise<{ readonly secret: string; readonly expiresAt: number }>;
  /** Whose pairing this is, where it is open. Uses nothing up. */
  pairing(secret: string): Promise<{ readonly sub: string; readonly expiresAt: number } | undefined>;
  /**
   * What the browser makes a key by: discoverable, user verification required.
   * @throws `pairing_ended`
   */
  creationOptions(
    by: { readonly secret: string } | { readonly sub: string },
  ): Promise<PublicKeyCredentialCreationOptionsJSON>;
  /**
   * Keeps a new key. The pairing is used up in the same transaction; of an enrolled key's assertion, over
   * {@link Keys.approvalOfKey} `add` with this very registration, the counter is kept in it.
   * @throws `pairing_ended`, `key_refused`, `key_known`, `signature_…`
   */
  enrol(
    by:
      | { readonly secret: string }
      | { readonly sub: string; readonly assertion: AuthenticationResponseJSON },
    registration: RegistrationResponseJSON,
    name: string,
  ): Promise<SigningKey>;
  /** What an enrolled key signs to add another (whose registration it signs) or to remove another (by its id). */
  approvalOfKey(
    sub: string,
    action: 'add',
    key: RegistrationResponseJSON,
  ): Promise<PublicKeyCredentialRequestOptionsJSON>;
  approvalOfKey(sub: string, action: 'remove', key: string): Promise<PublicKeyCredentialRequestOptionsJSON>;
  /** Those that count; oldest first. */
  list(sub: string): Promise<SigningKey[]>;
  /** @throws `not_found` */
  rename(sub: string, credentialId: string, name: string): Promise<void>;
  /**
   * By another key of the same person, over {@link Keys.approvalOfKey} `remove`; or at the home's own machine.
   * @throws `not_found`, `signature_…`
   */
  remove(
    by: { readonly sub: string; readonly assertion: AuthenticationResponseJSON } | 'machine',
    credentialId: string,
  ): Promise<void>;
  /** Ends every key of a person who was removed, and first what another could be enrolled by. */
  endPerson(sub: string): Promise<void>;
  /** For a discoverable key: the answer says whose it is. */
  signInOptions(): Promise<PublicKeyCredentialRequestOptionsJSON>;
  /** Whose key it is; each answer signs in once. @throws `signature_…` */
  signIn(assertion: AuthenticationResponseJSON): Promise<SigningKey>;
  /**
   * What a person's passkey signs to approve: the challenge is the statement's ({@link statementChallenge}).
   * @param details a proposal's, or those a client asks for by itself
   * @throws `signature_key_unknown` where this person has no passkey here, `signature_nonce`
   */
  approvalOptions(details: Readonly<Record<string, unknown>>, sub: string): Promise<ApprovalOptions>;
  /**
   * Whether this person signed this approval, as the gateway asks before it carries anything out. Uses nothing up: the very
   * same evidence passes again. That it was signed is kept, with the key's counter, in one transaction, so that of two
   * approvals signed one after the other the gateway may look at either first.
   * @param time `isFirst` is false where it was acted on before: then a key that was removed since will do
   * @throws `signature_…`
   */
  check(
    details: Readonly<Record<string, unknown>>,
    evidence: unknown,
    sub: string,
    time?: { readonly isFirst: boolean },
  ): Promise<VerifiedEvidence>;
  /**
   * Enrols the terminal phone's key ({@link softwareKey}), in place of an earlier one; again for the same changes nothing, so
   * that one that was removed stays so.
   * @throws `signature_software` where such keys don't count, `key_known` where it is somebody else's
   */
  enrolSoftware(sub: string, key: Pick<SigningKey, 'credentialId' | 'publicKey'>): Promise<void>;
}

export interface KeysOptions {
  readonly store: SigningKeyStore;
  /** The gateway's resource identifier. */
  readonly gateway: string;
  /** The host that passkeys are made for: `home.example`, `localhost`. */
  readonly rpId: string;
  /** The address of the phone's pages. */
  readonly origin: string;
  /** What a person's phone calls the place a passkey is for. */
  readonly rpName: string;
  readonly clock: Pick<Clock, 'now'>;
  /** Whether the terminal phone's keys count: never with live money. */
  readonly softwareKeys: boolean;
}
