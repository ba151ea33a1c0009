/** The identity providers with known dialects, as a profile names them. */
export const providerNames = ['standard', 'auth0', 'keycloak'] as const;
export type ProviderName = (typeof providerNames)[number];
