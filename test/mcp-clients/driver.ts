import type { HomeWorld } from '../e2e/home-world.ts';
import type { Terminal } from '../e2e/tmux.ts';
import type { ClientPackage } from './installed.ts';

export interface Setting {
  readonly world: HomeWorld;
  readonly env: NodeJS.ProcessEnv;
  readonly folder: string;
  /** The client's own command. */
  readonly command: string;
  readonly endpoint: string;
  readonly model: string;
  install(client: string): Promise<void>;
  /** @returns what it printed @throws for an exit code other than 0 */
  run(args: readonly string[], options?: { readonly terminal?: boolean }): Promise<string>;
  chat<T>(args: readonly string[], talk: (terminal: Terminal) => Promise<T>): Promise<T>;
}

export interface ClientDriver {
  readonly title: string;
  readonly package: ClientPackage;
  /** As its requests name it after the sign-in; null if they name none. */
  readonly revision: '2026-07-28' | '2025-11-25' | '2025-06-18' | null;
  /** Its name in "mcp install", if it can start a program. */
  readonly installs?: string;
  /** By its own document (CIMD) or dynamic registration (DCR). */
  readonly registers: 'CIMD' | 'DCR';
  /** After the call is no longer held. */
  readonly waits: 'check_approval' | 'task';
  /** @param setting.clock what has a Node program go by the world's clock */
  readonly env?: (setting: Pick<Setting, 'model'> & { readonly clock: NodeJS.ProcessEnv }) => NodeJS.ProcessEnv;
  configure(setting: Setting): Promise<void>;
  signIn(setting: Setting): Promise<void>;
  /** Has its model place an order. @returns what a person saw */
  ask(setting: Setting, words: string): Promise<string>;
}
