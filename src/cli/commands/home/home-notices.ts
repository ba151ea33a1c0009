import { homeNotices } from '../../../app/home/home-notices.ts';
import { safeLine } from '../../../text/shown-text.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { folderOf } from './folder-of.ts';

export function addHomeNotices(home: CliCommand): void {
  const notices = home
    .command('notices')
    .summary('how the owner is told where no push arrives')
    .description(
      'The channels under "notices" of home.yaml, by which the owner is told of what waits for their phone where no push arrives: as those of a profile (docs/guide/NOTICES.md).',
    )
    .examples(
      ['trade-agent home notices', 'the channels, and whether they have their secrets'],
      ['trade-agent home notices test ntfy', 'sends a test now'],
    );
  const placeOf = async (command: CliCommand) => {
    const folder = folderOf(command);
    const { requireOwnFolder } = await import('../../../app/home/open-home.ts');
    const { readHomeSettings } = await import('../../../app/home/home-files.ts');
    requireOwnFolder(folder);
    return homeNotices(folder, (await readHomeSettings(folder)).notices ?? {});
  };
  notices
    .command('list', { isDefault: true })
    .description('Lists the channels.')
    .examples(['trade-agent home notices list --output json', 'for scripts'])
    .runs(async (context, _options: unknown, command: CliCommand) => {
      const { listHomeNotices } = await import('../../../app/home/home-notices.ts');
      const channels = await listHomeNotices(await placeOf(command));
      await context.output.result('home-notices', { channels }, () =>
        channels.length === 0
          ? 'Pushes alone: add a channel under "notices" of home.yaml (docs/guide/NOTICES.md).'
          : channels
              .map(
                ({ name, kind, enabled, to, secret }) =>
                  `${name}  ${kind}${enabled ? '' : ' (off)'} to ${safeLine(to)}, secret ${secret.replace('_', ' ')}`,
              )
              .join('\n'),
      );
    });
  notices
    .command('test')
    .description('Sends a test by one channel now; exit 1 when it could not be sent.')
    .argument('<name>', 'one of those that "home notices" shows')
    .examples(['trade-agent home notices test ntfy', 'sends one'])
    .runs(async (context, name: string, _options: unknown, command: CliCommand) => {
      const { testNotice } = await import('../../../app/notices/notice-place.ts');
      const { id, attempts } = await testNotice(context, await placeOf(command), name);
      await context.output.result('notice-test', { channel: name, id, attempts }, () => `Sent by ${name}.`);
    });
  notices
    .command('set-secret')
    .description(
      "Keeps a channel's secret in the home. It is asked for, or read from standard input; never an argument.",
    )
    .argument('<name>', 'one of those that "home notices" shows')
    .examples(['trade-agent home notices set-secret mail', 'asks for it, without showing it'])
    .runs(async (context, name: string, _options: unknown, command: CliCommand) => {
      const { setNoticeSecret } = await import('../../../app/notices/notice-place.ts');
      const { readSecret } = await import('../../terminal/secret-input.ts');
      const { kind, words } = await setNoticeSecret(await placeOf(command), name, (what) =>
        readSecret(context, `${what} (not shown): `),
      );
      await context.output.result(
        'notice-secret',
        { channel: name, kind },
        () => `The ${words} is kept in the home.`,
      );
    });
}
