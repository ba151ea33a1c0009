/** The identity providers this program knows more of than the standards say; `auth/provider/` has a dialect for each. */
export const providerNames = ['standard', 'auth0', 'keycloak'] as const;
export type ProviderName = (typeof providerNames)[number];
