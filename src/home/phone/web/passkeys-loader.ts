type Passkeys = typeof import('./passkeys.ts');

/** Loads the passkey script on first use, because few pages need it. The root element has the script's address. */
export async function loadPasskeys(): Promise<Passkeys> {
  const address = document.documentElement.dataset.passkeys ?? '';
  return (await import(address)) as Passkeys;
}
