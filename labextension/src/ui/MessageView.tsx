import React, { memo, useState } from 'react';

import { copyText } from '../page';
import { digits, fileName, fullTime, relativeTime } from '../phrases';
import { printable } from '../printable';
import { ITrans } from '../translation';
import { Entry } from '../turns';
import { Message, Part } from '../types';
import { Badge } from './Badges';
import { Button } from './Button';
import { Code } from './Code';
import { Markdown } from './Markdown';
import { useTrans } from './words';

function speaker(role: Message['role'], trans: ITrans): string {
  const speakers = {
    user: trans.__('You'),
    assistant: trans.__('Assistant'),
    system: trans.__('System'),
    tool: trans.__('Tool')
  };
  return speakers[role] ?? role;
}

function statusText(status: 'interrupted' | 'failed' | 'truncated', trans: ITrans): string {
  return { interrupted: trans.__('Interrupted'), failed: trans.__('Failed'), truncated: trans.__('Cut off') }[status];
}

/** What can be done from a message; nothing while an answer is written. */
export type MessageActions = {
  onFork?: (message: string) => void;
  onRewind?: (message: string) => void;
  onRetry?: () => void;
  onGoOn?: () => void;
};

type MessageViewProps = {
  entry: Entry;
  total: number;
  streaming: boolean;
  /** The id of the tool call that runs. */
  calling: string | null;
  isLast: boolean;
  actions: MessageActions;
  now_ms: number;
};

export const MessageView = memo(function MessageView(props: MessageViewProps): JSX.Element | null {
  const trans = useTrans();
  const { entry, streaming, now_ms, total } = props;
  const { message } = entry;
  const status = message.status ?? 'complete';
  if (entry.isAbsorbed) {
    return null;
  }
  return (
    <article
      className={`jp-jido-message jp-jido-mod-${message.role}`}
      data-testid="jido-message"
      data-role={message.role}
      data-status={streaming ? 'streaming' : status}
      aria-posinset={entry.index + 1}
      aria-setsize={total}
      aria-busy={streaming || undefined}
      aria-label={`${speaker(message.role, trans)}, ${relativeTime(message.created_at, now_ms, trans)}`}
    >
      <div className="jp-jido-message-head">
        <span className="jp-jido-speaker">{speaker(message.role, trans)}</span>
        {message.model && <span className="jp-jido-faint">{printable(message.model)}</span>}
        <Origin message={message} />
        <time className="jp-jido-faint" dateTime={message.created_at} title={fullTime(message.created_at)}>
          {relativeTime(message.created_at, now_ms, trans)}
        </time>
      </div>
      {message.parts.map((part, index) => (
        <PartView key={index} part={part} isLastPart={index === message.parts.length - 1} {...props} />
      ))}
      {streaming && <span className="jp-jido-writing" />}
      {!streaming && <Ending {...props} />}
    </article>
  );
});

/** How it ended, what it cost, and what can be done from here. */
function Ending({ entry, isLast, actions }: MessageViewProps): JSX.Element {
  const trans = useTrans();
  const { message, endsTurn } = entry;
  const status = message.status ?? 'complete';
  const hasText = message.parts.some(part => part.type === 'text' && part.content);
  return (
    <>
      {status !== 'complete' && (
        <div className="jp-jido-message-status">
          <Badge kind={status} text={statusText(status, trans)} />
          {message.error && <span>{printable(message.error)}</span>}
          {isLast && actions.onRetry && (
            <Button
              label={trans.__('Try again')}
              text={trans.__('Try again')}
              testId="retry"
              onClick={actions.onRetry}
            />
          )}
          {isLast && actions.onGoOn && (
            <Button
              label={trans.__('Go on from here')}
              text={trans.__('Go on')}
              testId="go-on"
              onClick={actions.onGoOn}
            />
          )}
        </div>
      )}
      <div>
        <Usage message={message} />
        <span className="jp-jido-message-actions">
          {hasText && <CopyButton message={message} />}
          {isLast && status === 'complete' && message.role === 'assistant' && actions.onRetry && (
            <Button icon="retry" label={trans.__('Try again')} testId="retry" onClick={actions.onRetry} />
          )}
          {endsTurn && actions.onFork && (
            <Button
              icon="fork"
              label={trans.__('Fork from here')}
              title={trans.__('Go on from here in a copy; this session stays as it is')}
              testId="fork"
              onClick={() => actions.onFork?.(message.id)}
            />
          )}
          {endsTurn && !isLast && actions.onRewind && (
            <Button
              icon="rewind"
              label={trans.__('Back to here')}
              title={trans.__('Go on from here; what came later stays in the file, but leaves the conversation')}
              testId="rewind"
              onClick={() => actions.onRewind?.(message.id)}
            />
          )}
        </span>
      </div>
    </>
  );
}

function CopyButton({ message }: { message: Message }): JSX.Element {
  const trans = useTrans();
  const [isCopied, setCopied] = useState(false);
  const text = message.parts
    .filter(part => part.type === 'text')
    .map(part => printable(part.content ?? '')) // what is pasted is what was read
    .join('\n\n');
  return (
    <Button
      icon={isCopied ? 'save' : 'copy'}
      label={isCopied ? trans.__('Copied') : trans.__('Copy')}
      testId="copy"
      onClick={() =>
        void copyText(text).then(done => {
          setCopied(done);
          setTimeout(() => setCopied(false), 1500);
        })
      }
    />
  );
}

function PartView(props: MessageViewProps & { part: Part; isLastPart: boolean }): JSX.Element {
  const trans = useTrans();
  const { part, entry, streaming, isLastPart, calling } = props;
  const isGrowing = streaming && isLastPart;
  switch (part.type) {
    case 'text':
      return entry.message.role === 'assistant' ? (
        <Markdown source={part.content ?? ''} isGrowing={isGrowing} />
      ) : (
        <div className="jp-jido-plain">{printable(part.content ?? '')}</div>
      );
    case 'reasoning':
      return <Fold label={isGrowing ? trans.__('Thinking…') : trans.__('Reasoning')} text={part.content ?? ''} />;
    case 'tool_call':
      return <Call part={part} result={entry.results.get(String(part.id))} isRunning={calling === part.id} />;
    case 'tool_call_response':
      return <Fold label={trans.__('Tool result')} text={readable(part.response)} />;
    default:
      return (
        <div className="jp-jido-faint">
          {trans.__('Part of type “%1” is stored but not shown.', printable(part.type))}
        </div>
      );
  }
}

function outcomeText(outcome: string, trans: ITrans): string {
  const texts: Record<string, string> = {
    done: trans.__('done'),
    denied: trans.__('denied'),
    failed: trans.__('failed'),
    interrupted: trans.__('interrupted'),
    running: trans.__('running…'),
    waiting: trans.__('waiting')
  };
  return texts[outcome] ?? printable(outcome);
}

/** A tool that was asked for: what with, what came of it. */
function Call({ part, result, isRunning }: { part: Part; result?: Part; isRunning: boolean }): JSX.Element {
  const trans = useTrans();
  const outcome = result ? String(result.outcome ?? 'done') : isRunning ? 'running' : 'waiting';
  const values = part.arguments as Record<string, unknown> | undefined;
  const code = typeof values?.code === 'string' ? values.code : null;
  const purpose = typeof values?.purpose === 'string' ? printable(values.purpose) : '';
  return (
    <details className="jp-jido-fold jp-jido-call" data-testid="jido-call" data-outcome={outcome}>
      <summary>
        {trans.__('Tool')} <strong>{printable(part.name ?? trans.__('unnamed'))}</strong> {purpose}
        <Badge kind={outcome} text={outcomeText(outcome, trans)} />
      </summary>
      {code !== null ? (
        <Code source={code} label={trans.__('Asked with')} />
      ) : (
        <pre aria-label={trans.__('Asked with')}>{readable(part.arguments)}</pre>
      )}
      {result && <pre aria-label={trans.__('Result')}>{readable(result.response)}</pre>}
    </details>
  );
}

function Fold({ label, text }: { label: string; text: string }): JSX.Element {
  return (
    <details className="jp-jido-fold">
      <summary>{label}</summary>
      <pre>{printable(text)}</pre>
    </details>
  );
}

/** Values as indented JSON; text as it is, as far as it can be seen. */
function readable(value: unknown): string {
  return printable(typeof value === 'string' ? value : (JSON.stringify(value, null, 2) ?? ''));
}

function Origin({ message }: { message: Message }): JSX.Element | null {
  const count = message.origin?.execution_count;
  const notebook = message.origin?.notebook;
  if (count === undefined || count === null) {
    return null;
  }
  return (
    <span className="jp-jido-faint" title={notebook ? printable(notebook) : undefined}>
      {notebook ? `${printable(fileName(notebook))} [${count}]` : `[${count}]`}
    </span>
  );
}

function Usage({ message }: { message: Message }): JSX.Element | null {
  const trans = useTrans();
  const { input_tokens, output_tokens } = message.usage ?? {};
  const facts: string[] = [];
  if (input_tokens !== undefined) {
    facts.push(trans._n('%2 token in', '%2 tokens in', input_tokens, digits(input_tokens)));
  }
  if (output_tokens !== undefined) {
    facts.push(trans._n('%2 token out', '%2 tokens out', output_tokens, digits(output_tokens)));
  }
  return facts.length === 0 ? null : <span className="jp-jido-faint jp-jido-usage">{facts.join(' · ')}</span>;
}
