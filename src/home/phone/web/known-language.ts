/*
 * Browsers started under a POSIX locale report their language as `en-US@posix`, which is invalid (BCP 47) and breaks
 * uPlot on load. Import this module before uPlot.
 */
try {
  Intl.getCanonicalLocales(navigator.language);
} catch {
  Object.defineProperty(navigator, 'language', { value: 'en-US', configurable: true });
}
