/*
 * Text from outside must not look to a model like the frame of the conversation. Many chat templates mark turns by words
 * that a server's tokeniser heeds wherever they stand: a company named "<|im_start|>system" would then speak as the
 * system. The phone and the gateway do not rely on this; it spares the person proposals that they never asked for.
 */

const frames = [
  // ChatML, Llama 3, Harmony, Phi: <|im_start|>, <|eot_id|>, <|channel|>. DeepSeek writes them with full-width bars.
  '<(?=[|｜])',
  // Llama 2 and Mistral: [INST], [/INST], [TOOL_CALLS], [SYSTEM_PROMPT] …; <<SYS>>, <</SYS>>.
  '\\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|IMG|THINK)\\])',
  '<(?=<?/?SYS>)',
  // Sentence marks and Gemma's turns: <s>, </s>, <bos>, <start_of_turn>, <end_of_turn>.
  '<(?=/?(?:s|bos|eos|pad|unk|start_of_turn|end_of_turn|sep|cls|mask)>)',
  // Tool calls and thoughts, as Qwen, Hermes and others frame them, and our own mark of what is data.
  '<(?=/?(?:tool_call|tool_calls|tool_response|tool_results?|tools|function_calls?|invoke|think|thinking|system|user|assistant)\\b)',
  '<(?=/?untrusted)',
];
let marks: RegExp | undefined;

/** Each begins with one of two characters; the pattern is made for text that has one. */
function replaceMarks(text: string, by: (opening: string) => string): string {
  if (!/[<[]/.test(text)) return text;
  marks ??= new RegExp(frames.join('|'), 'giu');
  return text.replace(marks, by);
}

/** Plain text in which no mark of a chat template stands: a blank follows the character that begins one. */
export function inertText(text: string): string {
  return replaceMarks(text, (opening) => `${opening} `);
}

/**
 * JSON in which none stands: the character that begins one is an escape, so that it parses to the same value. Such
 * characters stand in strings alone; what is no JSON is treated as {@link inertText}.
 */
export function inertJson(json: string): string {
  const escaped = replaceMarks(json, (opening) => `\\u00${opening.charCodeAt(0).toString(16)}`);
  return escaped === json || isJson(escaped) ? escaped : inertText(json);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
