/** The sector of a symbol by the packaged list; undefined for what it does not know. */
export async function packagedSectors(): Promise<(symbol: string) => string | undefined> {
  const { listedSymbols } = await import('../../sandbox/market/symbols.ts');
  const symbols = listedSymbols();
  return (symbol) => symbols.get(symbol)?.sector || undefined;
}
