import { type ConnectionName, connectionNames } from '../../../auth/connections/known-connections.ts';
import { TradeAgentError } from '../../../errors/errors.ts';

/** @throws {TradeAgentError} `usage` */
export function readConnectionName(text: string): ConnectionName {
  const name = connectionNames.find((known) => known === text);
  if (name !== undefined) return name;
  throw new TradeAgentError('usage', `there is no connection "${text}"`, {
    hint: `Choose from ${connectionNames.join(', ')}.`,
  });
}
