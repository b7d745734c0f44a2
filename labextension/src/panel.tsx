/** The panel in the notebook: an anywidget module over the components of the sidebar. */

import React from 'react';
import { createRoot } from 'react-dom/client';

import { ChatModel } from './chat';
import { SessionsModel } from './model';
import { Notices } from './notices';
import { PanelApp } from './ui/PanelApp';
import {
  IAnyModel,
  IKernelListener,
  resumeOver,
  WidgetChannel,
  widgetChat,
  widgetSessions
} from './widget';

function render({ model, el }: { model: IAnyModel; el: HTMLElement }): () => void {
  const notices = new Notices();
  const listener: IKernelListener = {
    onSessions: list => sessions.receive(list),
    onCurrent: session => chat.adopt(session),
    onDelta: (id, text) => chat.receiveDelta(id, text),
    onTurnEnd: message => chat.receiveTurnEnd(message),
    onAlive: () => sessions.alive(),
    onSilence: problem => sessions.lost(problem)
  };
  const channel = new WidgetChannel(model, listener);
  const chat = new ChatModel(widgetChat(channel), notices, Date.now);
  const sessions = new SessionsModel(
    {
      ...widgetSessions(channel),
      resume: async id => {
        const { session, briefing } = await resumeOver(channel, id);
        chat.adopt(session);
        return briefing;
      }
    },
    notices,
    Date.now
  );

  const root = createRoot(el);
  root.render(<PanelApp sessions={sessions} chat={chat} notices={notices} clock={Date.now} />);
  void sessions.refresh();
  void chat.refresh();
  return () => {
    channel.dispose();
    root.unmount();
  };
}

export default { render };
