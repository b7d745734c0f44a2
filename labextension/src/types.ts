/** What travels between Python and the page, as JSON. Times are RFC 3339, UTC, with milliseconds. */

export type Owner = {
  kind: string;
  notebook?: string | null;
  host: string;
  pid: number;
};

export type Summary = {
  id: string;
  title: string;
  created_at: string;
  updated_at: string;
  message_count: number;
  state: 'open' | 'closed' | 'damaged';
  owner: Owner | null;
  tags: string[];
  pinned: boolean;
  archived: boolean;
  notebook: string | null;
  model: string | null;
  /** One line of the last text. */
  preview: string;
  /** Sentences for the user: repairs made, or damage found. */
  problems: string[];
  revision: string;
};

/** Known types: text, reasoning, tool_call, tool_call_response. Others are kept and named, not shown. */
export type Part = {
  type: string;
  content?: string;
  name?: string;
  arguments?: unknown;
  response?: unknown;
  [extra: string]: unknown;
};

export type Message = {
  id: string;
  role: 'system' | 'user' | 'assistant' | 'tool';
  parts: Part[];
  created_at: string;
  /** Absent means complete. */
  status?: 'complete' | 'interrupted' | 'failed' | 'truncated';
  error?: string;
  model?: string;
  origin?: {
    notebook?: string | null;
    cell_id?: string | null;
    execution_count?: number | null;
  };
  usage?: { input_tokens?: number; output_tokens?: number };
};

export type Todo = { text: string; status: 'open' | 'doing' | 'done'; [extra: string]: unknown };

/** A session without its messages; they come page by page. */
export type Head = Summary & {
  todos: Todo[];
  /** Tokens; `unknown` counts the answers whose server did not say. Absent where nobody counted. */
  usage?: { input_tokens: number; output_tokens: number; unknown: number };
  /** How many keys and passwords were taken out before saving. */
  redacted?: number;
  /** Of the kernel's own session: false once another process took it over. */
  is_here?: boolean;
  /** Of the kernel's own session: an answer streams, here or to a cell. */
  is_busy?: boolean;
  is_saved?: boolean;
  /** What its seals prove; absent from servers that do not say. */
  seal?: Seal;
};

/**
 * Verified: every record is as it was saved here. Repaired: records were passed over, the others are. Altered: changed, or
 * records are missing. Foreign: sealed with a key that is not here. The last two are resumed only when the user says so.
 */
export type Seal = 'verified' | 'repaired' | 'altered' | 'foreign';

/** Messages number `start` and following, of `total`. */
export type MessagePage = { messages: Message[]; start: number; total: number };

/** A session that was found, with the text around the first word that was searched for. */
export type Hit = { session: Summary; snippet: string };

export type FoundPage = {
  hits: Hit[];
  next_cursor: string | null;
  count: number;
  /** Names the state of the store; absent where the host tells of changes itself. */
  etag?: string | null;
};

/** What became of an imported file. */
export type Brought = {
  sessions: { id: string; title: string; message_count: number; is_new: boolean; is_trashed: boolean; notes: string[] }[];
  /** Sessions of the file that were refused, beside the others. */
  failed: Problem[];
};

/** What is left of the rate limits. */
export type Limits = { session: { id: string; resume: { remaining: number; reset_s: number } } | null };

/** What a tool wants to do, for the user to allow or deny. */
export type Consent = { id: string; tool: string; summary: string; code: string | null };

export type Briefing = {
  completeness: string;
  age_s: number;
  repairs: string[];
  lines: string[];
};

/** An error of RFC 9457. Branch on `code`; `detail` is a whole sentence for the user. */
export type Problem = {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  /** With code "rate_limited": seconds until a retry may succeed. */
  retry_after_s?: number;
  /** With code "session_open": who holds the session. */
  owner?: Owner | null;
  [extra: string]: unknown;
};
