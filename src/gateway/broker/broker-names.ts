/** Every kind of broker there is, as `kind` in `gateway.yaml` has it, in the order in which people are offered them. */
export const brokerNames = ['alpaca', 'tradier', 'snaptrade', 'ibkr'] as const;
export type BrokerName = (typeof brokerNames)[number];
