import { z } from 'zod';
import { optionOf } from '../../trading/asset-class.ts';
import { contractWords } from '../../trading/contract-words.ts';
import { listedContractSchema } from '../../trading/listed-contract.ts';
import type { Intent, OrderIntent } from './intent.ts';
import { contractSaid, isContract, type SaidContract } from './said-contract.ts';
import { NotUnderstood } from './words.ts';

const listed = z.lazy(() => z.object({ contracts: z.array(listedContractSchema), more: z.boolean() }));

type OptionIntent = OrderIntent & { readonly contract: SaidContract };

export function isForOption(intent: Intent): intent is OptionIntent {
  return intent.kind === 'order' && intent.contract !== undefined;
}

export function contractStep({ request, contract }: OptionIntent): {
  name: string;
  args: Record<string, unknown>;
} {
  const { right, strike, expiry } = contract;
  const underlying = String(request.symbol);
  return {
    name: 'get_option_contracts',
    args: { underlying, expiry, right, strike_from: strike, strike_to: strike },
  };
}

/** @throws {NotUnderstood} with a question if there is none, or several */
export function contractNamed({ request, contract }: OptionIntent, answer: unknown): string {
  const underlying = String(request.symbol);
  const { contracts, more } = listed.parse(answer);
  const found = contracts
    .map(({ symbol }) => symbol)
    .filter((symbol) => isContract(symbol, underlying, contract));
  const [only] = found;
  if (only !== undefined && found.length === 1 && !more) return only;
  const said = contractSaid(underlying, contract);
  if (only === undefined) {
    throw new NotUnderstood(`There is no ${said}.`, 'Check its strike and its expiry.', 'unknown_symbol');
  }
  const dates = found.map((symbol) => optionOf(symbol)?.expiry ?? symbol);
  throw new NotUnderstood(
    `Which do you mean by ${said}: ${dates.join(', ')}${more ? ', …' : ''}?`,
    `Say the day, as in "${contractWords(only)}".`,
  );
}
