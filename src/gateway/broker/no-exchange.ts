import { TradeAgentError } from '../../errors/errors.ts';

/** @param who what needs it, as the start of a sentence */
export function noExchange(who: string): TradeAgentError {
  return new TradeAgentError('invalid_config', `${who} take tokens by exchange, but "exchange" is not set`, {
    hint: 'Set it in gateway.yaml: docs/operate/GATEWAY.md says how.',
  });
}
