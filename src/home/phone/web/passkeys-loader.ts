type Passkeys = typeof import('./passkeys.ts');

/** The part of the script that few pages need, loaded when one does; its address is in the document's first tag. */
export async function passkeys(): Promise<Passkeys> {
  const address = document.documentElement.dataset.passkeys ?? '';
  return (await import(address)) as Passkeys;
}
