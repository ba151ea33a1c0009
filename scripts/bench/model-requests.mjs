// Prints the size of the tools and the system prompt in each request of the evaluations, next to all tools. Tokens are
// estimated at four bytes each, because each model has its own tokenizer.

import { HumanMessage } from '@langchain/core/messages';
import { buildSystemPrompt } from '../../src/agent/graph/system-prompt.ts';
import { rankTools } from '../../src/agent/graph/tool-selection.ts';
import { selectTools, toolDefinitions } from '../../src/agent/model/create-chat-model.ts';
import { findTools, tools } from '../../src/tools/catalog.ts';
import { readRequests } from '../../test/evals/requests.ts';

export function benchModelRequests() {
  const prompt = buildSystemPrompt({ readOnly: false });
  const tokens = (offered) => Math.round(Buffer.byteLength(prompt + JSON.stringify(offered)) / 4);
  const all = toolDefinitions([findTools, ...tools]);
  const before = tokens(toolDefinitions(tools));
  const rows = readRequests().map(({ id, say }) => {
    const offered = selectTools(all, rankTools(say.map((text) => new HumanMessage(text))), prompt);
    return { id, tools: offered.length, tokens: tokens(offered) };
  });
  console.log('| request | tools | tokens | of all tools |\n|---|---|---|---|');
  for (const row of rows)
    console.log(`| ${row.id} | ${row.tools} | ${row.tokens} | ${(row.tokens / before).toFixed(2)} |`);
  const mean = Math.round(rows.reduce((sum, row) => sum + row.tokens, 0) / rows.length);
  console.log(`| mean | | ${mean} | ${(mean / before).toFixed(2)} |`);
  console.log(`| all ${tools.length} tools | ${tools.length} | ${before} | 1.00 |`);
}
