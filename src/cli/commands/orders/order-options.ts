import { runExitCodes } from '../../../app/exit-codes.ts';
import { timesInForce } from '../../../trading/order-types.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { createChoiceOption } from '../../options/choice.ts';
import { approvalOption } from '../run/run.ts';

export const orderExitCodes = runExitCodes;

const idempotencyKeyHelp =
  'idempotency key (up to 64 letters, digits, . _ -): an order with the same key is placed only once';

export function addApprovalOptions(command: CliCommand): CliCommand {
  return command.option('--key <key>', idempotencyKeyHelp).addOption(approvalOption());
}

/** Adds the options for prices and time in force. @param trail the help text of `--trail` */
export function addOrderTermOptions(command: CliCommand, trail: string): CliCommand {
  return command
    .option('--limit <price>', 'limit price, in dollars per share')
    .option('--stop <price>', 'stop price, in dollars per share; with --limit, a stop limit order')
    .option('--trail <distance>', trail)
    .addOption(createChoiceOption('--tif <time>', 'time in force (default: day; gtc for crypto)', timesInForce));
}
