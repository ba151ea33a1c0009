/*
 * A browser that was started under a POSIX locale calls its language `en-US@posix`, which is none (BCP 47), and uPlot asks for
 * it as it is loaded. To be imported before that.
 */
try {
  Intl.getCanonicalLocales(navigator.language);
} catch {
  Object.defineProperty(navigator, 'language', { value: 'en-US', configurable: true });
}
