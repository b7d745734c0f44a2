/** How messages belong together: a tool's result to its call, an answer to the end of its turn. */

import { Messages } from './paged';
import { Message, Part } from './types';

/** A message as it is shown. */
export type Entry = {
  message: Message;
  /** Its place in the whole conversation. */
  index: number;
  /** Results of its tool calls, by call id. */
  results: ReadonlyMap<string, Part>;
  /** It holds nothing but results, which stand with their calls. */
  isAbsorbed: boolean;
  /** The next message is a question, or there is none. */
  endsTurn: boolean;
};

const NO_RESULTS: ReadonlyMap<string, Part> = new Map();

/** Makes entries of messages; one whose neighbours are the same stays the same object. */
export class Entries {
  of(messages: Messages): (Entry | null)[] {
    return messages.map((message, index) => {
      if (message === null) {
        return null;
      }
      const before = messages[index - 1] ?? null;
      const after = messages[index + 1];
      const known = this._known.get(message);
      if (known?.entry.index === index && known.before === before && known.after === after) {
        return known.entry;
      }
      const entry = entryOf(message, index, before, after);
      this._known.set(message, { entry, before, after });
      return entry;
    });
  }

  private readonly _known = new WeakMap<
    Message,
    { entry: Entry; before: Message | null; after: Message | null | undefined }
  >();
}

function entryOf(
  message: Message,
  index: number,
  before: Message | null,
  after: Message | null | undefined
): Entry {
  return {
    message,
    index,
    results: hasCalls(message) && after?.role === 'tool' ? resultsOf(after) : NO_RESULTS,
    isAbsorbed: message.role === 'tool' && before !== null && hasCalls(before) && onlyResults(message),
    endsTurn: message.role !== 'user' && (after === undefined || after?.role === 'user')
  };
}

function hasCalls(message: Message): boolean {
  return message.parts.some(part => part.type === 'tool_call');
}

function onlyResults(message: Message): boolean {
  return message.parts.every(part => part.type === 'tool_call_response');
}

function resultsOf(message: Message): ReadonlyMap<string, Part> {
  const results = message.parts.filter(part => part.type === 'tool_call_response');
  return new Map(results.map(part => [String(part.id), part]));
}
