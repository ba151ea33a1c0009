/** What the parent writes to the child's standard input: everything a command needs, in one go. */
export interface KeychainRequest {
  readonly service: string;
  /** Names known to have been stored: one of these that reads as absent means a locked keychain, or a removed entry. */
  readonly known: readonly string[];
  readonly probe: boolean;
  /** What must be stored for `set` and `delete` to go ahead; null stands for absent. */
  readonly expected: Readonly<Record<string, string | null>>;
  readonly set: Readonly<Record<string, string>>;
  readonly delete: readonly string[];
  readonly get: readonly string[];
}

export type KeychainFailure = 'library_missing' | 'no_bus' | 'no_service' | 'locked' | 'denied' | 'other';

export type KeychainResponse =
  | {
      readonly ok: true;
      /** False when what was expected was not there, and nothing was written. */
      readonly changed: boolean;
      readonly values: Readonly<Record<string, string>>;
    }
  | { readonly ok: false; readonly failure: KeychainFailure; readonly message: string };
