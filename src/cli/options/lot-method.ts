import type { Command } from 'commander';
import { type LotMethod, lotMethods } from '../../trading/portfolio/lot-pool.ts';
import { createChoiceOption } from './choice.ts';

export interface LotOptions {
  readonly method: LotMethod;
  readonly lots?: string;
}

export function addLotOptions<C extends Command>(command: C): C {
  return command
    .addOption(createChoiceOption('--method <method>', 'which lots a sale uses', lotMethods).default('fifo'))
    .option('--lots <file>', 'a CSV file that lists the lots (symbol,sold,acquired,qty), for --method specific');
}
