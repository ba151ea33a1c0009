/** Parameters of RFC 8693 §2.1 that this server reads; those it does not support are read to be refused. */
export const tokenExchangeParameters = [
  'audience',
  'resource',
  'scope',
  'subject_token',
  'subject_token_type',
  'requested_token_type',
  'actor_token',
  'actor_token_type',
] as const;

export type ExchangeParameters = { [name in (typeof tokenExchangeParameters)[number]]?: string | undefined };
