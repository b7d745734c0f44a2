import React from 'react';

import { counted, fileName, fullTime, relativeTime } from '../phrases';
import { Message, Part } from '../types';
import { Badge } from './Badges';
import { Markdown } from './Markdown';

const SPEAKERS = { user: 'You', assistant: 'Assistant', system: 'System', tool: 'Tool' };

const STATUS_TEXTS = { interrupted: 'Interrupted', failed: 'Failed', truncated: 'Truncated' };

type MessageViewProps = { message: Message; streaming: boolean; now_ms: number };

export function MessageView({ message, streaming, now_ms }: MessageViewProps): JSX.Element {
  const status = message.status ?? 'complete';
  return (
    <li
      className={`jp-jido-message jp-jido-mod-${message.role}`}
      data-testid="jido-message"
      data-role={message.role}
      data-status={streaming ? 'streaming' : status}
    >
      <div className="jp-jido-message-head">
        <span className="jp-jido-speaker">{SPEAKERS[message.role] ?? message.role}</span>
        {message.model && <span className="jp-jido-faint">{message.model}</span>}
        <Origin message={message} />
        <time
          className="jp-jido-faint"
          dateTime={message.created_at}
          title={fullTime(message.created_at)}
        >
          {relativeTime(message.created_at, now_ms)}
        </time>
      </div>
      {message.parts.map((part, index) => (
        <PartView key={index} part={part} isMarkdown={message.role === 'assistant'} />
      ))}
      {streaming && (
        <span className="jp-jido-writing" role="status" aria-label="The answer is being written" />
      )}
      {status !== 'complete' && (
        <div className="jp-jido-message-status">
          <Badge kind={status} text={STATUS_TEXTS[status] ?? status} />
          {message.error && <span>{message.error}</span>}
        </div>
      )}
      <Usage message={message} />
    </li>
  );
}

function PartView({ part, isMarkdown }: { part: Part; isMarkdown: boolean }): JSX.Element {
  switch (part.type) {
    case 'text':
      return isMarkdown ? (
        <Markdown source={part.content ?? ''} />
      ) : (
        <div className="jp-jido-plain">{part.content}</div>
      );
    case 'reasoning':
      return <Fold label="Reasoning" text={part.content ?? ''} />;
    case 'tool_call':
      return <Fold label={`Tool call: ${part.name ?? 'unnamed'}`} text={readable(part.arguments)} />;
    case 'tool_call_response':
      return <Fold label="Tool result" text={readable(part.response)} />;
    default:
      return <div className="jp-jido-faint">Part of type “{part.type}” is stored but not shown.</div>;
  }
}

function Fold({ label, text }: { label: string; text: string }): JSX.Element {
  return (
    <details className="jp-jido-fold">
      <summary>{label}</summary>
      <pre>{text}</pre>
    </details>
  );
}

/** Values as indented JSON; text as it is. */
function readable(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value, null, 2) ?? '');
}

function Origin({ message }: { message: Message }): JSX.Element | null {
  const count = message.origin?.execution_count;
  const notebook = message.origin?.notebook;
  if (count === undefined || count === null) {
    return null;
  }
  return (
    <span className="jp-jido-faint" title={notebook ?? undefined}>
      {notebook ? `${fileName(notebook)} [${count}]` : `[${count}]`}
    </span>
  );
}

function Usage({ message }: { message: Message }): JSX.Element | null {
  const { input_tokens, output_tokens } = message.usage ?? {};
  const facts: string[] = [];
  if (input_tokens !== undefined) {
    facts.push(`${counted(input_tokens, 'token')} in`);
  }
  if (output_tokens !== undefined) {
    facts.push(`${counted(output_tokens, 'token')} out`);
  }
  return facts.length === 0 ? null : (
    <div className="jp-jido-faint jp-jido-usage">{facts.join(' · ')}</div>
  );
}
