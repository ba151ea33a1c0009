/** Identity providers that have a dialect, by the names that profiles use. */
export const providerNames = ['standard', 'auth0', 'keycloak'] as const;
export type ProviderName = (typeof providerNames)[number];
