import { resolve } from 'node:path';
import { exits } from '../../../app/exit-codes.ts';
import type { HomeReady } from '../../../app/home/home-files.ts';
import { environmentWord } from '../../../trading/environment.ts';
import type { Cli } from '../../context/cli.ts';
import type { CliCommand, ServerParts } from '../../context/cli-command.ts';
import type { Output } from '../../context/output.ts';
import { listenAddress } from '../../options/listen-address.ts';
import { addListeningOptions, type ListeningFlags, listeningOf } from '../../options/listening.ts';
import { requestLine } from '../../text/request-line.ts';
import { folderOf } from './folder-of.ts';

interface ServeOptions extends ListeningFlags {
  readonly listen?: ReturnType<typeof listenAddress>;
  readonly readyFile?: string;
}

export function addHomeServe(home: CliCommand): void {
  const serving = home
    .command('serve')
    .description(
      'Serves the home until it is told to stop. At its first start it shows a QR code for the first phone. Beyond this machine it takes a certificate, or a proxy that has one.',
    )
    .option('--listen <host:port>', 'where, on this machine (default: as home.yaml says)', listenAddress);
  addListeningOptions(serving)
    .option('--ready-file <file>', 'write address and process id there once it serves')
    .examples(
      ['trade-agent home serve', 'Ctrl-C ends it; what is on its way is finished'],
      ['trade-agent home serve --listen 127.0.0.1:4780', "behind Tailscale's serve, or a proxy"],
    )
    .exits(exits.busy)
    .serves((parts, output, options: ServeOptions, command: CliCommand) =>
      serve(command.cli, parts, output, folderOf(command), options),
    );
}

async function serve(
  cli: Cli,
  parts: ServerParts,
  output: Output,
  folder: string,
  { listen, readyFile, ...flags }: ServeOptions,
): Promise<void> {
  const { serveHome } = await import('../../../app/home/serve-home.ts');
  const discreetFetch = cli.discreetFetch ?? cli.fetch;
  await serveHome(
    { ...parts, env: cli.env, discreetFetch },
    {
      folder,
      listen,
      listening: listeningOf(flags),
      readyFile: readyFile === undefined ? undefined : resolve(readyFile),
      log: (entry) => parts.tell(requestLine(entry)),
      ready: async (ready) => {
        await printReady(cli, parts, output, ready);
      },
    },
  );
}

async function printReady(cli: Cli, parts: ServerParts, output: Output, ready: HomeReady): Promise<void> {
  const { address, environment, url, home, pid } = ready;
  await output.result('home-serve', { address, environment, url, home, pid }, () =>
    [`Home        ${address} (${environmentWord(environment)})`, `listens at  ${url}`].join('\n'),
  );
  await offerPairing(cli, parts, output, home);
  parts.tell('Ctrl-C ends it.');
}

/** A first phone is paired at the terminal: whoever reads a log could use a link in it. */
async function offerPairing(cli: Cli, parts: ServerParts, output: Output, folder: string): Promise<void> {
  const { unpaired } = await import('../../../app/home/users.ts');
  if (!(await unpaired(parts, folder))) return;
  if (!cli.io.interactive || output.format !== 'text') {
    parts.tell('No phone is paired yet: trade-agent home pair');
    return;
  }
  const { pairPhone } = await import('../../../app/home/users.ts');
  const { showQrCode } = await import('../../text/qr-code.ts');
  const { user, url } = await pairPhone(parts, folder, undefined);
  await showQrCode(cli, url);
  parts.tell(
    `No phone is paired yet. Open this on ${user}'s phone within ten minutes; it works once:\n\n  ${url}\n`,
  );
}
