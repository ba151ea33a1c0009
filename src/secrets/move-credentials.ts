import { TradeAgentError } from '../errors/errors.ts';
import {
  type CredentialName,
  type CredentialStore,
  credentialNames,
  type LockPurpose,
  lockPurposes,
} from './credential-store.ts';

/**
 * Steps of a move, in order. If the process is killed after any step, the login still works: with the old store until
 * `switched`, and with the new store afterwards.
 */
export type CredentialMoveStep = 'locked' | 'copied' | 'verified' | 'switched' | 'erased';

export interface CredentialMove {
  readonly from: CredentialStore;
  readonly to: CredentialStore;
  /** Opens the new store again, as another process would, to read back what was written. */
  reopen(): Promise<CredentialStore>;
  switchOver(): Promise<void>;
  readonly onStep?: (step: CredentialMoveStep) => void;
  readonly signal?: AbortSignal;
}

/**
 * Moves all credentials from one store to another: copies them, reads the copies back, switches the profile to the new
 * store and erases the old store. Holds all locks of the profile, so that no other process refreshes the session in the
 * old store during the move.
 * @throws {TradeAgentError} `credential_store_…`, `busy`; the profile then still uses the old store, which is intact
 */
export async function moveCredentials(move: CredentialMove) {
  const { from, to, onStep = () => {} } = move;
  // Unlocks both stores before taking any lock, because a person may have to type a passphrase.
  await from.unlock();
  await to.unlock();
  return await withLocks(from, lockPurposes, move.signal, async () => {
    onStep('locked');
    const values = definedValues(await from.get(credentialNames, { fresh: true }));
    const names = credentialNames.filter((name) => values[name] !== undefined);
    // Removes values that an earlier move left in the new store and that the old store no longer has.
    await to.delete(credentialNames.filter((name) => values[name] === undefined));
    if (names.length === 0) await to.probe();
    else await to.set(values);
    onStep('copied');

    const readBack = definedValues(await (await move.reopen()).get(credentialNames, { fresh: true }));
    if (!credentialNames.every((name) => readBack[name] === values[name])) {
      await to.erase().catch(() => {});
      throw new TradeAgentError(
        'credential_store_unavailable',
        'the new store did not return the values that were written to it',
        { hint: 'Nothing was changed. The credentials are still in the old store.' },
      );
    }
    onStep('verified');
    move.signal?.throwIfAborted();

    await move.switchOver();
    onStep('switched');
    const leftover = await from.erase().then(
      () => undefined,
      (error: unknown) => (error as Error).message,
    );
    if (leftover === undefined) onStep('erased');
    // `leftover` says why the old copy could not be erased. Undefined if it was erased.
    return { names, leftover };
  });
}

function definedValues(values: Readonly<Record<CredentialName, string | undefined>>) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<
    Record<CredentialName, string>
  >;
}

/** Runs `work` under several locks, which are always taken in the same order. */
async function withLocks<T>(
  store: CredentialStore,
  purposes: readonly LockPurpose[],
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const [first, ...rest] = purposes;
  if (first === undefined) return await work();
  return await store.exclusively(first, () => withLocks(store, rest, signal, work), signal);
}
