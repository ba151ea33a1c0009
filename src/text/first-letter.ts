export const capitalize = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

export const lowercaseFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

/** Returns the text with a capital letter and, unless it ends with a punctuation mark, a period. */
export function toSentence(text: string): string {
  const capitalized = capitalize(text);
  return /[.!?]$/.test(capitalized) ? capitalized : `${capitalized}.`;
}
