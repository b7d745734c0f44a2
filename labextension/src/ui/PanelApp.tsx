import React, { useEffect, useState } from 'react';

import { conversation, IChatModel } from '../chat';
import { ISessionsModel } from '../model';
import { INotices } from '../notices';
import { ChatHeader } from './ChatHeader';
import { Composer } from './Composer';
import { Clock, useNow, useObservable } from './hooks';
import { Notices, StandingProblem } from './Notices';
import { SessionsView } from './SessionsView';
import { Transcript } from './Transcript';

const REPAINT_MS = 30_000;

type PanelAppProps = {
  sessions: ISessionsModel;
  chat: IChatModel;
  notices: INotices;
  clock: Clock;
};

/** The conversation with the kernel's current session, and all sessions beside it on demand. */
export function PanelApp({ sessions, chat, notices, clock }: PanelAppProps): JSX.Element {
  const state = useObservable(chat.state);
  const { connection } = useObservable(sessions.state);
  const now_ms = useNow(clock, REPAINT_MS);
  const [isListShown, setListShown] = useState(false);
  const messages = conversation(state);
  const currentId = state.session?.id ?? null;
  // Whoever opened another session wants to go on in it; in a narrow panel the list covers it.
  useEffect(() => setListShown(false), [currentId]);
  return (
    // The attribute keeps the notebook's shortcuts (Shift+Enter, Enter) away from our fields.
    <div className="jp-jido-app jp-jido-mod-panel" data-lm-suppress-shortcuts="true">
      <ChatHeader
        state={state}
        isListShown={isListShown}
        onSave={() => void chat.save()}
        onNew={() => void chat.create()}
        onClose={() => void chat.close()}
        onToggleList={() => setListShown(!isListShown)}
      />
      {connection.kind === 'lost' && <StandingProblem problem={connection.problem} />}
      <Notices notices={notices} />
      <div className={`jp-jido-columns${isListShown ? ' jp-jido-mod-list' : ''}`}>
        {isListShown && (
          <aside className="jp-jido-side" aria-label="All sessions">
            <SessionsView sessions={sessions} currentId={currentId} clock={clock} />
          </aside>
        )}
        <section className="jp-jido-chat" aria-label="Conversation">
          {messages.length === 0 ? (
            <div className="jp-jido-empty">
              <p>Ask something to begin. Every turn is saved as it happens.</p>
            </div>
          ) : (
            <Transcript messages={messages} streaming={state.streaming} follow now_ms={now_ms} />
          )}
          <Composer
            model={lastModel(messages) ?? state.session?.model ?? null}
            asking={state.asking}
            streaming={state.streaming !== null}
            onSend={prompt => chat.ask(prompt)}
            onStop={() => void chat.stop()}
          />
        </section>
      </div>
    </div>
  );
}

function lastModel(messages: readonly { model?: string }[]): string | undefined {
  return messages.findLast(message => message.model)?.model;
}
