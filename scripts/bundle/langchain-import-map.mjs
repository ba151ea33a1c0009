// The LangChain classes that a checkpoint may deserialize: only messages. LangChain's own map lists all its classes and
// loads them at start.
import { messages_exports } from '../messages/index.js';
import { tool_exports } from '../messages/tool.js';

export const import_map_exports = { messages: messages_exports, messages__tool: tool_exports };
