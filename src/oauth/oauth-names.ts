/** RFC 8628 §3.4. */
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
/** CIBA Core §4. */
export const CIBA_GRANT = 'urn:openid:params:grant-type:ciba';
/** RFC 8693 §2.1. */
export const TOKEN_EXCHANGE_GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
/**
 * Member of our provider's metadata, not standardized: true if approvals whose details say `code_entry: typed` require
 * that the person types the code.
 */
export const CODE_ENTRY_SUPPORTED = 'backchannel_code_entry_supported';
/** Defined by Auth0: "Access token exchange with Token Vault". */
export const TOKEN_VAULT_GRANT = 'urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token';
/** RFC 8693 §3. */
export const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token';
/** RFC 8693 §3. */
export const REFRESH_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:refresh_token';
/** RFC 8693 §3. */
export const ID_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:id_token';
/** draft-ietf-oauth-identity-assertion-authz-grant §4.3. */
export const ID_JAG_TYPE = 'urn:ietf:params:oauth:token-type:id-jag';
/** RFC 7523 §2.1. */
export const JWT_BEARER_GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
/** ID-JAG draft §7.2: the profile that a server lists in its metadata if it accepts ID-JAGs. */
export const ID_JAG_PROFILE = 'urn:ietf:params:oauth:grant-profile:id-jag';
/** RFC 7523 §2.2. */
export const JWT_ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** The ID token's claim that contains the ID of the CIBA request (CIBA Core §10.3.1). */
export const AUTH_REQ_ID_CLAIM = 'urn:openid:params:jwt:claim:auth_req_id';
