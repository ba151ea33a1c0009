import { resolve } from 'node:path';
import { exitCodes } from '../../../app/exit-codes.ts';
import type { HomeReadyInfo } from '../../../app/home/home-files.ts';
import { environmentName } from '../../../trading/environment.ts';
import type { Cli } from '../../context/cli.ts';
import type { CliCommand, ServingContext } from '../../context/cli-command.ts';
import type { Output } from '../../context/output.ts';
import { parseListenAddress } from '../../options/listen-address.ts';
import { addListeningOptions, type ListeningFlags, toListenOptions } from '../../options/listening.ts';
import { resolveHomeFolder } from './home-folder-option.ts';

interface ServeOptions extends ListeningFlags {
  readonly listen?: ReturnType<typeof parseListenAddress>;
  readonly readyFile?: string;
}

export function addHomeServeCommand(home: CliCommand): void {
  const serving = home
    .command('serve')
    .description(
      'Run the home until it is stopped. On first start, shows a QR code for the first phone. To be reachable from other machines, the home needs a certificate, or a proxy that has one.',
    )
    .option('--listen <host:port>', 'where to listen on this machine (default: from home.yaml)', parseListenAddress);
  addListeningOptions(serving)
    .option('--ready-file <file>', 'write the address and process ID to this file once the home is ready')
    .examples(
      ['trade-agent home serve', 'press Ctrl-C to stop; running work is finished'],
      ['trade-agent home serve --listen 127.0.0.1:4780', "behind Tailscale's serve, or a proxy"],
    )
    .exits(exitCodes.busy)
    .serves((parts, output, options: ServeOptions, command: CliCommand) =>
      serve(command.cli, parts, output, resolveHomeFolder(command), options),
    );
}

async function serve(
  cli: Cli,
  parts: ServingContext,
  output: Output,
  folder: string,
  { listen, readyFile, ...flags }: ServeOptions,
): Promise<void> {
  const { serveHome } = await import('../../../app/home/serve-home.ts');
  const redactedFetch = cli.redactedFetch ?? cli.fetch;
  await serveHome(
    { ...parts, env: cli.env, redactedFetch },
    {
      folder,
      listen,
      listening: toListenOptions(flags),
      readyFile: readyFile === undefined ? undefined : resolve(readyFile),
      ready: async (ready) => {
        await printReady(cli, parts, output, ready);
      },
    },
  );
}

async function printReady(cli: Cli, parts: ServingContext, output: Output, ready: HomeReadyInfo): Promise<void> {
  const { address, environment, url, home, pid } = ready;
  await output.result('home-serve', { address, environment, url, home, pid }, () =>
    [`Home        ${address} (${environmentName(environment)})`, `Listening   ${url}`].join('\n'),
  );
  await offerPairing(cli, parts, output, home);
  parts.log.tell('Press Ctrl-C to stop.');
}

/**
 * Prints a pairing link if no phone is paired. Prints only on a terminal, because anyone who can read a log could use
 * the link in it.
 */
async function offerPairing(cli: Cli, parts: ServingContext, output: Output, folder: string): Promise<void> {
  const app = { clock: parts.clock, env: cli.env };
  const { isHomeUnpaired } = await import('../../../app/home/users.ts');
  if (!(await isHomeUnpaired(app, folder))) return;
  if (!cli.io.interactive || parts.log.isJson || output.format !== 'text') {
    parts.log.tell('No phone is paired yet. Pair one: trade-agent home pair');
    return;
  }
  const { createPairingLink } = await import('../../../app/home/users.ts');
  const { pairingText, showPairingCode } = await import('../../text/pairing.ts');
  const pairing = await createPairingLink(app, folder, undefined);
  await showPairingCode(cli, pairing);
  parts.log.tell(`No phone is paired yet. ${pairingText(pairing)}:\n\n  ${pairing.url}\n`);
}
