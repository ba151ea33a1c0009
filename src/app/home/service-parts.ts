export type ServiceKind = 'systemd' | 'launchd';

/** A home as the system's service manager is to run it. */
export interface ServiceDescription {
  readonly kind: ServiceKind;
  /** Where the manager looks for it. */
  readonly file: string;
  readonly content: string;
  /** What to type, in order, to have it run; nothing of it is done here. */
  readonly commands: readonly string[];
  readonly warnings: readonly string[];
}

export interface ServiceOptions {
  readonly kind: ServiceKind;
  /** The home's folder, or where it is to be. */
  readonly folder: string;
  /** The user it runs as under systemd. */
  readonly user: string;
  /** Whether it listens below port 1024. */
  readonly lowPort: boolean;
  /** Of whoever asks: where their launch agents are. */
  readonly userFolder: string;
}

/** What a description is made of; paths are whole. */
export interface ServiceParts extends ServiceOptions {
  /** Program and arguments. */
  readonly command: readonly string[];
}
