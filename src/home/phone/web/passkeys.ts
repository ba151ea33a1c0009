import {
  type AuthenticationResponseJSON,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  type RegistrationResponseJSON,
  startAuthentication,
  startRegistration,
} from '@simplewebauthn/browser';

/** Makes a passkey on this device, or on one that is near. @throws {Error} named as WebAuthn names it */
export function create(
  optionsJSON: PublicKeyCredentialCreationOptionsJSON,
): Promise<RegistrationResponseJSON> {
  return startRegistration({ optionsJSON });
}

/** Has a passkey sign the options' challenge, with the person verified. @throws {Error} named as WebAuthn names it */
export function get(optionsJSON: PublicKeyCredentialRequestOptionsJSON): Promise<AuthenticationResponseJSON> {
  return startAuthentication({ optionsJSON });
}

/** What is asked of the passkey where an order is approved, and the statement whose digest is the challenge. */
export interface ApprovalOptions extends PublicKeyCredentialRequestOptionsJSON {
  readonly statement: unknown;
}

/** @returns the approval's evidence as JSON, for the form's field `evidence` */
export async function sign({ statement, ...options }: ApprovalOptions): Promise<string> {
  const { id, response } = await get(options);
  return JSON.stringify({
    method: 'webauthn',
    credential_id: id,
    authenticator_data: response.authenticatorData,
    client_data_json: response.clientDataJSON,
    signature: response.signature,
    statement,
  });
}
