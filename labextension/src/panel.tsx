/** The panel in the notebook: an anywidget module over the components of the sidebar. */

import React from 'react';
import { createRoot } from 'react-dom/client';

import { ChatModel } from './chat';
import { SessionsModel } from './model';
import { Notices } from './notices';
import { PanelApp } from './ui/PanelApp';
import { IAnyModel, IKernelListener, IPulse, WidgetChannel, widgetChat, widgetSessions } from './widget';

function render({ model, el }: { model: IAnyModel; el: HTMLElement }): () => void {
  const view = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
  const notices = new Notices();
  const listener: IKernelListener = {
    changed: ({ current }) => {
      void chat.adopt(current);
      void sessions.changed();
    },
    asked: ({ message }) => chat.receiveAsked(message),
    began: ({ message_id }) => chat.receiveBegan(message_id),
    reasoning: ({ message_id, text }) => chat.receiveReasoning(message_id, text),
    delta: ({ message_id, text }) => chat.receiveDelta(message_id, text),
    call: ({ call }) => chat.receiveCall(call),
    said: ({ message }) => chat.receiveSaid(message),
    notice: ({ text }) => chat.receiveNotice(text),
    turn_end: () => chat.receiveTurnEnd(),
    consent: asked => chat.receiveConsent(asked),
    consent_over: ({ id }) => chat.receiveConsentOver(id),
    waiting: ({ is_waiting }) => chat.receiveWaiting(is_waiting),
    problem: ({ problem }) => notices.problem('turn', problem)
  };
  const pulse: IPulse = {
    onAlive: () => sessions.alive(),
    onSilence: problem => sessions.lost(problem)
  };
  const channel = new WidgetChannel(model, listener, pulse);
  const chat = new ChatModel(widgetChat(channel, view), notices, Date.now);
  const sessions = new SessionsModel(
    widgetSessions(
      channel,
      () => chat.state.value.notebook,
      session => chat.adopt(session)
    ),
    notices,
    Date.now
  );

  const leave = (): void => channel.tell('gone', { view });
  window.addEventListener('pagehide', leave);
  const root = createRoot(el);
  root.render(<PanelApp sessions={sessions} chat={chat} notices={notices} clock={Date.now} />);
  void chat.refresh();
  return () => {
    window.removeEventListener('pagehide', leave);
    leave();
    chat.dispose();
    channel.dispose();
    root.unmount();
  };
}

export default { render };
