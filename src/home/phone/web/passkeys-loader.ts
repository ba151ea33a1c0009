type Passkeys = typeof import('./passkeys.ts');

/** Loads the passkey script, which few pages need, on first use. The document's root element has its address. */
export async function loadPasskeys(): Promise<Passkeys> {
  const address = document.documentElement.dataset.passkeys ?? '';
  return (await import(address)) as Passkeys;
}
