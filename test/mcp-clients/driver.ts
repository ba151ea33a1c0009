import type { HomeWorld } from '../e2e/home-world.ts';
import type { Terminal } from '../e2e/tmux.ts';
import type { ClientPackage } from './installed.ts';

/** Where a client is driven: a home, somebody's folder, and a model that does as it is told. */
export interface Setting {
  readonly world: HomeWorld;
  /** Of the client: a home of its own, a browser, and what the driver adds. */
  readonly env: NodeJS.ProcessEnv;
  /** Empty; where the client is started. */
  readonly folder: string;
  /** Of the client's own command. */
  readonly command: string;
  readonly endpoint: string;
  readonly model: string;
  /** Names the endpoint in the client's settings, as a person does. */
  install(client: string): Promise<void>;
  /** Runs the client to its end. @returns what it printed @throws where it ends with another code than 0 */
  run(args: readonly string[], options?: { readonly terminal?: boolean }): Promise<string>;
  /** Opens its chat in a terminal, for as long as `talk` takes. */
  chat<T>(args: readonly string[], talk: (terminal: Terminal) => Promise<T>): Promise<T>;
}

/** One client, unmodified, and how a person works it. */
export interface ClientDriver {
  readonly title: string;
  readonly package: ClientPackage;
  /** Of the protocol, as its requests name it once it has signed in; null where they name none. */
  readonly revision: '2026-07-28' | '2025-11-25' | '2025-06-18' | null;
  /** As "mcp install" knows it, for those that can start a program. */
  readonly installs?: string;
  /** How it is known at the home: by a document of its own (CIMD), or as it registered itself (DCR). */
  readonly registers: 'CIMD' | 'DCR';
  /** How it waits for a person once the call is no longer held. */
  readonly waits: 'check_approval' | 'task';
  readonly env?: (setting: Pick<Setting, 'model'>) => NodeJS.ProcessEnv;
  /** Its settings, before anything else. */
  configure(setting: Setting): Promise<void>;
  /** Until the person has let it in. */
  signIn(setting: Setting): Promise<void>;
  /** Has its model asked for an order, and returns what a person saw, once the model has ended. */
  ask(setting: Setting, words: string): Promise<string>;
}
