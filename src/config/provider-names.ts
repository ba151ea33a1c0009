/** The identity providers this program knows more of than the standards say, by the names a profile gives them. */
export const providerNames = ['standard', 'auth0', 'keycloak'] as const;
export type ProviderName = (typeof providerNames)[number];
