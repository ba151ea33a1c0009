import {
  type AuthenticationResponseJSON,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  type RegistrationResponseJSON,
  startAuthentication,
  startRegistration,
} from '@simplewebauthn/browser';

/** Creates a passkey on this or a nearby device. @throws {Error} with a name that WebAuthn defines */
export function createPasskey(optionsJSON: PublicKeyCredentialCreationOptionsJSON): Promise<RegistrationResponseJSON> {
  return startRegistration({ optionsJSON });
}

/** Signs the options' challenge with a passkey. @throws {Error} with a name that WebAuthn defines */
export function getAssertion(optionsJSON: PublicKeyCredentialRequestOptionsJSON): Promise<AuthenticationResponseJSON> {
  return startAuthentication({ optionsJSON });
}

/** Passkey options for approving an order, and the statement whose digest is the challenge. */
export interface ApprovalOptions extends PublicKeyCredentialRequestOptionsJSON {
  readonly statement: unknown;
}

/** Signs an approval. @returns the evidence as JSON, for the form's field `evidence` */
export async function signApproval({ statement, ...options }: ApprovalOptions): Promise<string> {
  const { id, response } = await getAssertion(options);
  return JSON.stringify({
    method: 'webauthn',
    credential_id: id,
    authenticator_data: response.authenticatorData,
    client_data_json: response.clientDataJSON,
    signature: response.signature,
    statement,
  });
}
