// Returns the width of text in columns. Latin letters and common marks take one column each. For other text, loads
// string-width, whose Unicode tables and regexes take longer to set up than some commands take to run.
/** Matches text whose characters take one column each and never combine. */
export const narrow = /^[\u0020-\u007e\u00a0-\u00ac\u00ae-\u02ff\u2010-\u2027\u2190-\u2199\u2500-\u257f\u2713\u2717]*$/;

export default function stringWidth(text, options) {
  if (typeof text === 'string' && narrow.test(text) && options?.ambiguousIsNarrow !== false) return text.length;
  return require('string-width').default(text, options);
}
