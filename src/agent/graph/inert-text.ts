import { parseJson } from '../../values/parse-json.ts';

/*
 * Neutralizes chat-template markers in outside text. Many tokenizers honor such markers anywhere, so a company named
 * "<|im_start|>system" could be mistaken for the system prompt. This is defense in depth: the phone and the gateway do
 * not rely on it.
 */

const frames = [
  // ChatML, Llama 3, Harmony, Phi: <|im_start|>, <|eot_id|>, <|channel|>. DeepSeek writes them with full-width bars.
  '<(?=[|｜])',
  // Llama 2 and Mistral: [INST], [/INST], [TOOL_CALLS], [SYSTEM_PROMPT] …; <<SYS>>, <</SYS>>.
  '\\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|IMG|THINK)\\])',
  '<(?=<?/?SYS>)',
  // Tokens at the beginning and end of texts, and Gemma's turns: <s>, </s>, <bos>, <start_of_turn>, <end_of_turn>.
  '<(?=/?(?:s|bos|eos|pad|unk|start_of_turn|end_of_turn|sep|cls|mask)>)',
  // Tool-call and thinking tags of Qwen, Hermes and others, and the tag with which trade-agent marks outside text.
  '<(?=/?(?:tool_call|tool_calls|tool_response|tool_results?|tools|function_calls?|invoke|think|thinking|system|user|assistant)\\b)',
  '<(?=/?untrusted)',
];
let marks: RegExp | undefined;

/**
 * Replaces the first character of each chat-template marker. Text without `<` and `[` has no markers, so the pattern is
 * not even compiled for it.
 */
function replaceMarks(text: string, by: (opening: string) => string): string {
  if (!/[<[]/.test(text)) return text;
  marks ??= new RegExp(frames.join('|'), 'giu');
  return text.replace(marks, by);
}

/** Inserts a space after the first character of each chat-template marker. */
export function neutralizeMarkers(text: string): string {
  return replaceMarks(text, (opening) => `${opening} `);
}

/**
 * Escapes the first character of each chat-template marker, so that the JSON still parses to the same value. In text
 * that is not JSON, inserts spaces like {@link neutralizeMarkers}.
 */
export function neutralizeJsonMarkers(json: string): string {
  const escaped = replaceMarks(json, (opening) => `\\u00${opening.charCodeAt(0).toString(16)}`);
  return escaped === json || parseJson(escaped) !== undefined ? escaped : neutralizeMarkers(json);
}

/** Matches "Human:" and "Assistant:" anywhere, and "System:" at the start of a line, with the colons that follow. */
const roleLabels =
  /(?<![\p{L}\p{N}])(?:human|assistant)[ \t]*[:：][ \t:：]*|(?=system|developer)(?<=^[^\p{L}\p{N}\n]*)(?:(?:system|developer)[ \t]*[:：][ \t:：]*)+/gimu;

/** Removes the labels with which plain text starts a turn of a conversation, until there are none. */
export function removeRoleLabels(text: string): string {
  let rest = text;
  for (let before = ''; before !== rest; ) {
    before = rest;
    rest = rest.replace(roleLabels, '');
  }
  return rest;
}
