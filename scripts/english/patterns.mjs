// Words and forms that a native reader stumbles over. `instead` is what to write; `example` is a text that each must catch.
const everywhere = ['comment', 'string', 'prose'];

/** @type {{pattern: RegExp, instead: string, example: string, where?: string[]}[]} */
export const patterns = [
  { pattern: /\banew\b/i, instead: 'again', example: 'The page is read anew.' },
  {
    pattern: /\b(withal|thereof|whereof|thereby|whereby|herein|henceforth|hitherto|whence|thence)\b/i,
    instead: 'plain words',
    example: 'The account and the owner thereof.',
  },
  { pattern: /\bmend(s|ed|ing)?\b/i, instead: 'fix', example: 'Mends what an earlier run left.' },
  {
    pattern: /\b(is|are|was|were|be|been|being|gets?) (not )?told\b/i,
    instead: 'is notified, sees, or learns',
    example: 'The owner is told of each fill.',
  },
  {
    pattern: /\b(is|are|was|were) (not )?let in\b|\blets? (him|her|it|them|this device|others) in\b/i,
    instead: 'is allowed, signs in',
    example: 'Others can be refused or are let in.',
  },
  { pattern: /\b(comes?|came) to \$/i, instead: 'totals', example: 'The order comes to $500.00.' },
  {
    pattern: /(?<!\btimes? )\bin force\b/i,
    instead: 'active, or time in force',
    example: 'No mandate is in force.',
  },
  { pattern: /\ball the same\b/i, instead: 'still', example: 'The order fills all the same.' },
  {
    pattern: /\bleads? nowhere\b/i,
    instead: 'cannot be resolved',
    example: 'The address leads nowhere from here.',
  },
  { pattern: /\bput away\b/i, instead: 'dismiss', example: 'Findings that were put away.' },
  { pattern: /\blately\b(?!\|)/i, instead: 'recently, recent', example: 'What happened lately.' },
  { pattern: /\bto decide:/i, instead: 'needs your approval', example: 'To decide: two orders.' },
  { pattern: /\btaken for\b/i, instead: 'interpreted as', example: 'The word is taken for a symbol.' },
  {
    pattern: /\b(stands|stood) (still|there|here|in the|as it)\b/i,
    instead: 'is',
    example: 'The order stands in the book.',
  },
  {
    pattern: /\bthat very\b|\bthe very (order|same|one)\b/i,
    instead: 'that exact',
    example: 'The phone signs that very order.',
  },
  {
    pattern: /\bwhatsoever\b|\bin vain\b|\bnowise\b/i,
    instead: 'plain words',
    example: 'It was asked in vain.',
  },
  {
    pattern: /\bnot (any more|anymore)\b|\b(is|are|be|was|were) no more\b(?! than)/i,
    instead: 'no longer',
    example: 'The key is no more.',
  },
  {
    pattern: /\ba yes beforehand\b|\bsays? yes to\b/i,
    instead: 'approve',
    example: 'The owner says yes to the order.',
  },
  {
    pattern: /\bwhat (was|is|were) (asked|told|said|tried|kept|given|shown|meant|found|done)\b/i,
    instead: 'a noun: the request, the answer, the result',
    example: 'Shows what was asked of your phone.',
  },
  {
    pattern: /\bwhat (came|comes|becomes|became) of\b/i,
    instead: 'outcome',
    example: 'The approvals and what came of them.',
  },
  {
    pattern: /\bof which kind\b|\bas it was given\b|\bwhat it is about\b/i,
    instead: 'a noun',
    example: 'Of which kind of broker, as it was given.',
  },
  {
    pattern: /\bSay (--|which|what|when|how)/,
    instead: 'Pass --option, Choose',
    example: 'Say --yes not to be asked.',
    where: ['string', 'prose'],
  },
  { pattern: /\bwrong usage\b/i, instead: 'usage error', example: 'Ends with 2 on wrong usage.' },
  {
    pattern: /\bleave(s)? it all\b|\bI (miss|lack) (a|an|the)\b/i,
    instead: 'a question or what was not done',
    example: 'I miss a number of shares.',
  },
  {
    pattern: /\bof its own accord\b|\bby its own word\b|\bits own word\b/i,
    instead: 'automatically, or who says so',
    example: 'By the broker, in its own words or its own word.',
  },
  {
    pattern: /\b(an|the) other'?s\b.{0,30}\balike\b|\bone and the same\b/i,
    instead: 'the same',
    example: 'They are one and the same.',
  },

  // A comment is a sentence, or a short noun phrase; these openings are neither.
  {
    pattern: /^(Told|Asked|Said|Kept|Shown|Heard|Meant|Untold|Unasked)\b(?! by)/,
    instead: 'a verb or a noun: Notifies…, The stored…',
    example: 'Told of each change, once it is there.',
    where: ['comment'],
  },
  {
    pattern: /^(Undefined|Null|None|True|False|Empty): /,
    instead: 'Undefined if…',
    example: 'Undefined: nobody supervises it.',
    where: ['comment'],
  },
  {
    pattern: /^(Where|Of which|Of whom|By which|By what|To whom|In which)\b/,
    instead: 'a subject and a verb',
    example: 'Where the provider would call it is where it is.',
    where: ['comment'],
  },
  {
    pattern: /^(What|Who|Whom) (?!(is|are|was|does|do|if)\b.*\?)/,
    instead: 'a noun',
    example: 'What each period multiplied the benchmark by.',
    where: ['comment'],
  },
  {
    pattern: /^(By|Of) (this|that|its|their|it|them)\b/,
    instead: 'a subject and a verb',
    example: 'By this approval the outcome may be asked about.',
    where: ['comment'],
  },
  {
    pattern: /\b(nobody|nothing|none) (else|other) (is|are|has|can|may|waits|knows)\b/i,
    instead: 'only… or a positive statement',
    example: 'Nobody else is known who could.',
    where: ['comment'],
  },
].map((row) => ({ where: everywhere, ...row }));
