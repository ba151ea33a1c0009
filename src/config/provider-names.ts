/** Names of the supported kinds of identity providers, as used in profiles. */
export const providerNames = ['standard', 'auth0', 'keycloak'] as const;
export type ProviderName = (typeof providerNames)[number];
