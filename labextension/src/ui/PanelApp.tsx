import React, { useCallback, useEffect, useMemo, useRef, useState } from 'react';

import { ChatState, conversation, IChatModel, isLostElsewhere } from '../chat';
import { ISessionsModel } from '../model';
import { INotices } from '../notices';
import { tellSession } from '../page';
import { Messages } from '../paged';
import { localProblem } from '../problem';
import { ITrans } from '../translation';
import { Problem } from '../types';
import { Button } from './Button';
import { ChatHeader } from './ChatHeader';
import { Composer } from './Composer';
import { ConsentCard } from './ConsentCard';
import { Clock, REPAINT_MS, useNow, useObservable } from './hooks';
import { MessageActions } from './MessageView';
import { Notices, StandingProblem } from './Notices';
import { SessionsView } from './SessionsView';
import { Todos } from './Todos';
import { Transcript } from './Transcript';
import { useTrans } from './words';

const NO_ACTIONS: MessageActions = {};

type PanelAppProps = {
  sessions: ISessionsModel;
  chat: IChatModel;
  notices: INotices;
  clock: Clock;
};

/** The conversation with the kernel's current session, and all sessions beside it on demand. */
export function PanelApp({ sessions, chat, notices, clock }: PanelAppProps): JSX.Element {
  const trans = useTrans();
  const state = useObservable(chat.state);
  const busy = useObservable(chat.busy);
  const { connection } = useObservable(sessions.state);
  const now_ms = useNow(clock, REPAINT_MS);
  const [isListShown, setListShown] = useState(false);
  const messages = useMemo(() => conversation(state), [state.stored, state.tail]);
  const { session } = state;
  const currentId = session?.id ?? null;
  // Whoever opened another session wants to go on in it; in a narrow panel the list covers it.
  useEffect(() => setListShown(false), [currentId]);
  const isLost = isLostElsewhere(state);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (currentId !== null && !isLost) {
      tellSession(box.current!, currentId);
    }
    // Again when it is renamed: the notebook's toolbar has its name.
  }, [currentId, isLost, session?.title]);
  const isIdle = !state.isAnswering && !session?.is_busy && !isLost;
  const actions = useMemo<MessageActions>(
    () =>
      isIdle && currentId !== null
        ? {
            onFork: message => void sessions.fork(currentId, message),
            onRewind: message => void chat.rewind(message),
            onRetry: () => void chat.retry(),
            onGoOn: () => void chat.ask(trans.__('Go on from where you stopped.'))
          }
        : NO_ACTIONS,
    [isIdle, currentId, sessions, chat, trans]
  );
  const onNeed = useCallback((index: number) => chat.need(index), [chat]);
  return (
    // The attribute keeps the notebook's shortcuts (Shift+Enter, Enter) away from our fields.
    <div ref={box} className="jp-jido-app jp-jido-mod-panel" data-lm-suppress-shortcuts="true">
      <ChatHeader
        state={state}
        busy={busy}
        isListShown={isListShown}
        onSave={() => void chat.save()}
        onNew={() => void chat.create()}
        onClose={() => void chat.close()}
        onRename={title => currentId !== null && void sessions.edit(currentId, { title })}
        onToggleList={() => setListShown(!isListShown)}
      />
      {connection.kind === 'lost' && <StandingProblem problem={connection.problem} />}
      {isLost && currentId !== null && (
        <StandingProblem problem={takenOver(trans)}>
          <Button
            label={trans.__('Take it back')}
            text={trans.__('Take it back')}
            testId="take-back"
            onClick={() => void sessions.resume(currentId, { takeOver: true })}
          />
        </StandingProblem>
      )}
      <Notices notices={notices} />
      <div className={`jp-jido-columns${isListShown ? ' jp-jido-mod-list' : ''}`}>
        {isListShown && (
          <aside className="jp-jido-side" aria-label={trans.__('All sessions')}>
            <SessionsView sessions={sessions} currentId={currentId} clock={clock} />
          </aside>
        )}
        <section className="jp-jido-chat" aria-label={trans.__('Conversation')}>
          {messages.length === 0 ? (
            <div className="jp-jido-empty">
              <p>{trans.__('Ask something to begin. Every turn is saved as it happens.')}</p>
            </div>
          ) : (
            <Transcript
              key={currentId}
              messages={messages}
              streaming={state.streaming}
              calling={state.consent === null ? state.calling : null}
              actions={actions}
              onNeed={onNeed}
              now_ms={now_ms}
            />
          )}
          {state.notice && <p className="jp-jido-faint jp-jido-turn-notice">{state.notice}</p>}
          {state.consent && (
            <ConsentCard
              consent={state.consent}
              onSettle={(allow, always) => void chat.settle(allow, always)}
            />
          )}
          {session && state.consent === null && (
            <Todos
              todos={session.todos}
              disabled={!isIdle}
              onChange={todos => void chat.setTodos(todos)}
            />
          )}
          <Composer
            model={lastModel(messages) ?? session?.model ?? null}
            asking={busy.has('ask')}
            streaming={state.isAnswering}
            disabled={isLost}
            onSend={prompt => chat.ask(prompt)}
            onStop={() => void chat.stop()}
          />
        </section>
      </div>
      <Announcer state={state} messages={messages} />
    </div>
  );
}

function takenOver(trans: ITrans): Problem {
  return localProblem(
    'taken_over',
    trans.__('Open elsewhere'),
    trans.__(
      'Another process took this session over. Take it back, or begin a new one here; what was said is stored either way.'
    )
  );
}

/** For those who listen: that an answer began, and what it says once it is whole, not each piece of it. */
function Announcer({ state, messages }: { state: ChatState; messages: Messages }): JSX.Element {
  const trans = useTrans();
  const last = messages.at(-1);
  const [heard, setHeard] = useState(false);
  useEffect(() => {
    if (state.isAnswering) {
      setHeard(true);
    }
  }, [state.isAnswering]);
  const said = last?.parts.find(part => part.type === 'text')?.content?.slice(0, 500) ?? '';
  const text = state.isAnswering
    ? trans.__('The assistant is answering.')
    : heard && last?.role === 'assistant'
      ? trans.__('Answer %1. %2', last.status ?? 'complete', said)
      : '';
  return (
    <div className="jp-jido-unseen" aria-live="polite">
      {text}
    </div>
  );
}

function lastModel(messages: Messages): string | undefined {
  return messages.findLast(message => message?.model)?.model;
}
