/*
 * What text reads like that is meant for a model and not for a person: the wordings of published prompt injections. Only
 * a notice comes of it, so a sentence that a newspaper or a broker could write must not be among them.
 */

const RULES = '(?:instructions?|prompts?|directives|commands)';
const MODEL = '(?:ai|assistant|agent|model|llm|chat ?bot|bot|copilot)';

/** Matched without regard to case, over text in single spaces. */
export const instructionWords: readonly RegExp[] = [
  // "Ignore all previous instructions", in the languages of the planner's word lists and a few more.
  new RegExp(`\\b(?:ignore|disregard|forget|override|bypass)\\b (?:\\w+ ){0,4}${RULES}\\b`, 'i'),
  /\b(?:ignoriere|missachte|vergiss)\b (?:\p{L}+ ){0,4}(?:anweisung(?:en)?|befehle?|vorgaben)\b/iu,
  /\b(?:ignora|olvida|descarta)\b (?:\p{L}+ ){0,4}(?:instrucciones|órdenes)/iu,
  /\b(?:ignore[zr]?|oubliez?)\b (?:\p{L}+ ){0,4}instructions/iu,
  /(?:이전|위의|앞의|모든)\s?(?:의\s?)?(?:지시|명령|지침)(?:를|을|사항을)?\s?(?:모두\s)?무시/u,
  /(?:忽略|无视)(?:\S{0,8})(?:指令|指示|提示)/u,
  // Another role, or another frame of the conversation.
  new RegExp(`\\byou are (?:now |actually )?(?:an? |the )?(?:\\w+ ){0,2}${MODEL}\\b`, 'i'),
  /\b(?:new|updated|real|actual|hidden) (?:system )?(?:instructions?|system prompt)\s*:/i,
  /\b(?:begin|end) (?:of )?(?:system|hidden|secret|developer) (?:prompt|message|instructions?)\b/i,
  /(?:^|[\n.!?\]>*-]\s*)\[?(?:system|developer|admin)(?: (?:message|prompt|override|note))?\]?\s*:\s+\S/i,
  /<[|｜]?\/?(?:im_start|im_end|system|tool_call|assistant|start_of_turn|eot_id)[|｜]?>|\[\/?INST\]/i,
  /\b(?:reveal|print|repeat|output|show) (?:me )?(?:your|the) (?:system prompt|hidden instructions|initial prompt)\b/i,
  // What a model is told to do, by what only a model can.
  new RegExp(
    `\\b(?:dear |attention,? |note to |to the |hey,? |any )${MODEL}s?\\b[^.\\n]{0,60}\\b(?:buy|sell|place|send|transfer|approve|cancel|call|ignore|follow|must)\\b`,
    'i',
  ),
  new RegExp(
    `\\b(?:${MODEL})s?(?: reading this)?(?:,|:)? (?:must|should|shall|please|is to|are to)(?: now| immediately)? (?:buy|sell|place|send|transfer|approve|cancel|call|ignore)\\b`,
    'i',
  ),
  /\b(?:call|use|invoke|run|execute|trigger)(?: the)?(?: tool| function)? [`"']?(?:place_(?:standing_)?orders?|cancel_order|replace_order|close_position|send_(?:slack|gmail)_summary|get_portfolio|list_orders)\b/i,
  /"(?:name|tool)"\s*:\s*"(?:place_(?:standing_)?orders?|cancel_order|replace_order|close_position|send_(?:slack|gmail)_summary)"/i,
  // A yes that nobody gave.
  /\bthe (?:user|account owner|account holder|human|client) (?:has |have )?(?:already )?(?:approved|authori[sz]ed|confirmed|consented|agreed to|pre-?approved)\b/i,
  /\b(?:without|do not|don't|never) (?:ask(?:ing)?|tell(?:ing)?|inform(?:ing)?|notify(?:ing)?|alert(?:ing)?|mention(?:ing)?)(?: \w+){0,4} (?:the |your )?(?:user|account owner|human)\b/i,
];
