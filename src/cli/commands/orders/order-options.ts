import { runExits } from '../../../app/exit-codes.ts';
import { timesInForce } from '../../../trading/order-types.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { choiceOption } from '../../options/choice.ts';
import { approvalOption } from '../run/run.ts';

export const orderExits = runExits;

const keyHelp =
  'up to 64 letters, digits, . _ -: the same key and order are one order, however often it is run';

export function addAskingOptions(command: CliCommand): CliCommand {
  return command.option('--key <key>', keyHelp).addOption(approvalOption());
}

/** Prices and duration. @param trail what `--trail` takes */
export function addTermOptions(command: CliCommand, trail: string): CliCommand {
  return command
    .option('--limit <price>', 'dollars a share: at most to pay, at least to take')
    .option('--stop <price>', 'dollars a share at which it starts; with --limit a stop limit order')
    .option('--trail <distance>', trail)
    .addOption(
      choiceOption('--tif <time>', 'how long it stands (default: day, gtc of a coin)', timesInForce),
    );
}
