/** By what its `User-Agent` holds; the order matters, since each claims to be those below it. */
const browsers = [
  ['Edge', /\bEdg(?:A|iOS)?\//],
  ['Samsung Internet', /\bSamsungBrowser\//],
  ['Opera', /\bOPR\//],
  ['Firefox', /\b(?:Firefox|FxiOS)\//],
  ['Chrome', /\b(?:Chrome|CriOS|HeadlessChrome)\//],
  ['Safari', /\bSafari\//],
] as const;
const systems = [
  ['iPhone', /\biPhone\b/],
  ['iPad', /\biPad\b/],
  ['Android', /\bAndroid\b/],
  ['Windows', /\bWindows\b/],
  ['macOS', /\bMac OS X\b/],
  ['Linux', /\bLinux\b/],
] as const;

/** What to call a browser in a list: `Safari on iPhone`. Words of ours alone, whatever it says of itself. */
export function browserName(userAgent: string | undefined): string {
  const named = (list: typeof browsers | typeof systems) =>
    list.find(([, pattern]) => pattern.test(userAgent ?? ''))?.[0];
  const [browser = 'A browser', system] = [named(browsers), named(systems)];
  return system === undefined ? browser : `${browser} on ${system}`;
}
