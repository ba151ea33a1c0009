import type { Command } from 'commander';

/** The folder of the home that a command is about. */
export type FolderOf = (command: Command) => string;
