import { resolve } from 'node:path';
import type { Command } from 'commander';
import { homeFolder } from '../../../machine/home.ts';
import { examples, exitCodes } from '../../options/help.ts';
import type { Cli } from '../../surroundings.ts';
import type { FolderOf } from './folder-of.ts';
import { addHomeBackup } from './home-backup.ts';
import { addHomeBroker } from './home-broker.ts';
import { addHomeInit } from './home-init.ts';
import { addHomeNotices } from './home-notices.ts';
import { addHomePair } from './home-pair.ts';
import { addHomeServe } from './home-serve.ts';
import { addHomeService } from './home-service.ts';
import { addHomeStatus } from './home-status.ts';
import { addHomeUser } from './home-user.ts';

export function addHomeCommand(program: Command, cli: Cli): void {
  const home = program
    .command('home')
    .summary('a home of your own: your account, your phone, your keys')
    .description(
      'Runs a home of your own: identity provider, phone app, order gateway and your broker keys in one process, for one person or a family. Orders go to your own account, paper or live, once your phone has signed them. docs/HOME.md leads through it.',
    )
    .option('--home <folder>', "the home's own folder (default: one beside the agent's)")
    .addHelpText(
      'after',
      examples([
        ['trade-agent home init', 'six questions; keys are not shown'],
        ['trade-agent home serve', 'serve until Ctrl-C'],
        ['trade-agent home pair', 'a link and a QR code for another phone'],
        ['trade-agent home doctor', 'what is missing'],
      ]) + exitCodes([]),
    );
  const folderOf: FolderOf = (command) =>
    resolve(command.optsWithGlobals<{ home?: string }>().home ?? homeFolder(cli.env));
  addHomeInit(home, cli, folderOf);
  addHomeServe(home, cli, folderOf);
  addHomeStatus(home, cli, folderOf);
  addHomePair(home, cli, folderOf);
  addHomeUser(home, cli, folderOf);
  addHomeBroker(home, cli, folderOf);
  addHomeNotices(home, cli, folderOf);
  addHomeBackup(home, cli, folderOf);
  addHomeService(home, cli, folderOf);
}
