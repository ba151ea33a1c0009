import { exits } from '../../../app/exit-codes.ts';
import type { HomeStatus } from '../../../app/home/users.ts';
import { environmentWord } from '../../../trading/environment.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { folderOf } from './folder-of.ts';
import { userLines } from './home-user.ts';

export function addHomeStatus(home: CliCommand): void {
  home
    .command('status')
    .description(
      'Says where the home is reached, whether it is served, who lives there, what they approve with, and what is open.',
    )
    .examples(['trade-agent home status --output json', 'for scripts'])
    .runs(async (context, _options: unknown, command: CliCommand) => {
      const { homeStatus } = await import('../../../app/home/users.ts');
      const status = await homeStatus(context, folderOf(command));
      await context.output.result('home-status', { ...status }, () => statusLines(status).join('\n'));
    });

  home
    .command('doctor')
    .description(
      'Checks folder, user, disk, address, certificate, signatures, phones, the broker and the clock, and says what to do. Changes nothing, and prints no secret.',
    )
    .examples(['trade-agent home doctor', 'exit 3 where there is something to do'])
    .exits(exits.found)
    .runs(async (context, _options: unknown, command: CliCommand) => {
      const { homeDoctor } = await import('../../../app/home/doctor.ts');
      const { findingsText } = await import('../../text/findings.ts');
      const findings = await homeDoctor(context, folderOf(command));
      const ok = findings.every(({ status }) => status === 'ok' || status === 'skip');
      await context.output.result('home-doctor', { ok, findings }, () => findingsText(context.io, findings));
      return ok ? exits.done : exits.found;
    });
}

function statusLines({ address, environment, served, signature, users, folder }: HomeStatus): string[] {
  return [
    `${address} (${environmentWord(environment)}), ${served === null ? 'not served now' : `served at ${served.url} by process ${served.pid}`}`,
    `signatures ${signature}; kept in ${folder}`,
    ...users.flatMap((user) => [
      ...userLines(user),
      `  ${user.open} open ${user.open === 1 ? 'proposal' : 'proposals'}, ${user.pushes} ${user.pushes === 1 ? 'browser' : 'browsers'} rung by push${tradingText(user.trading)}`,
    ]),
  ];
}

function tradingText({ state, since, until }: HomeStatus['users'][number]['trading']): string {
  if (state === 'active') return '';
  const words = state === 'halted' ? 'trading is halted' : 'positions may only be made smaller';
  return `; ${words} since ${since ?? '?'}${until === null ? '' : `, until ${until}`}`;
}
