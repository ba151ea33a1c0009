// What a checkpoint may bring back to life: messages, and nothing else of LangChain. Its own map names every class it
// has, loads them all at start, and advises to keep the map small.
import { messages_exports } from '../messages/index.js';
import { tool_exports } from '../messages/tool.js';

export const import_map_exports = { messages: messages_exports, messages__tool: tool_exports };
