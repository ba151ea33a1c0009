import { homedir } from 'node:os';
import type { ServiceKind } from '../../../app/home/service.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { choiceOption } from '../../options/choice.ts';
import { folderOf } from './folder-of.ts';

interface ServiceOptions {
  readonly kind?: ServiceKind;
  readonly user: string;
  readonly lowPort?: boolean;
}

const STATE_FOLDER = '/var/lib/trade-agent/home';

export function addHomeService(home: CliCommand): void {
  home
    .command('service')
    .description(
      'Prints a systemd unit that serves the home as a user of its own, who can write to it and nowhere else; or a launchd agent on macOS. Writes and starts nothing: how to install it is told on stderr.',
    )
    .addOption(
      choiceOption('--kind <manager>', 'systemd or launchd (default: by the system)', ['systemd', 'launchd']),
    )
    .option('--user <name>', 'the user it runs as under systemd', 'trade-agent')
    .option('--low-port', 'let it listen below port 1024, as at 443')
    .examples(
      ['trade-agent home service', `for a home in ${STATE_FOLDER}`],
      ['trade-agent home service --low-port --home /srv/home', 'one that listens at 443'],
    )
    .runs(async (context, options: ServiceOptions, command: CliCommand) => {
      const { describeService } = await import('../../../app/home/service.ts');
      const { kind = process.platform === 'darwin' ? 'launchd' : 'systemd', user, lowPort = false } = options;
      const named = command.optsWithGlobals<{ home?: string }>().home !== undefined;
      const { file, content, commands, warnings } = describeService({
        kind,
        user,
        lowPort,
        userFolder: command.cli.env.HOME ?? homedir(),
        folder: kind === 'systemd' && !named ? STATE_FOLDER : folderOf(command),
      });
      for (const warning of warnings) context.io.talk(`warning: ${warning}`);
      await context.output.result('home-service', { kind, file, content, commands, warnings }, () =>
        content.trimEnd(),
      );
      if (context.output.format !== 'text') return;
      context.io.talk('\nIt goes to run with:');
      for (const line of commands) context.io.talk(`  ${line}`);
    });
}
