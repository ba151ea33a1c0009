export interface KeychainRequest {
  readonly service: string;
  /** Names of values that were stored earlier. A name without an entry means a locked keychain or a removed entry. */
  readonly known: readonly string[];
  readonly probe: boolean;
  /** Values that must already be stored; otherwise, nothing is changed. Null means that the name must be absent. */
  readonly expected: Readonly<Record<string, string | null>>;
  readonly set: Readonly<Record<string, string>>;
  readonly delete: readonly string[];
  readonly get: readonly string[];
}

export type KeychainFailure = 'library_missing' | 'no_bus' | 'no_service' | 'locked' | 'denied' | 'other';

export type KeychainResponse =
  | {
      readonly ok: true;
      /** False if the stored values were not the expected ones. In that case, nothing was written. */
      readonly changed: boolean;
      readonly values: Readonly<Record<string, string>>;
    }
  | { readonly ok: false; readonly failure: KeychainFailure; readonly message: string };
