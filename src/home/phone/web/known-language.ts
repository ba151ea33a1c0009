/* Replaces `en-US@posix`, an invalid language (BCP 47) that breaks uPlot on load. Import this module before uPlot. */
try {
  Intl.getCanonicalLocales(navigator.language);
} catch {
  Object.defineProperty(navigator, 'language', { value: 'en-US', configurable: true });
}
