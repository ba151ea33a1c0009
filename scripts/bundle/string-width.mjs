// The width of a text in columns. Text of Latin letters and common marks has as many columns as characters; string-width
// is loaded for anything else. Its Unicode tables and expressions take longer to set up than some commands take to run.
/** Text of characters that have one column each and never join with another. */
export const narrow =
  /^[\u0020-\u007e\u00a0-\u00ac\u00ae-\u02ff\u2010-\u2027\u2190-\u2199\u2500-\u257f\u2713\u2717]*$/;

export default function stringWidth(text, options) {
  if (typeof text === 'string' && narrow.test(text) && options?.ambiguousIsNarrow !== false)
    return text.length;
  return require('string-width').default(text, options);
}
