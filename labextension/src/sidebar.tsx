import { ReactWidget } from '@jupyterlab/apputils';
import { Poll } from '@lumino/polling';
import { Message } from '@lumino/messaging';
import React from 'react';

import { jidoIcon } from './icon';
import { ISessionsModel } from './model';
import { INotices } from './notices';
import { SidebarApp } from './ui/SidebarApp';

export const POLL_INTERVAL_MS = 1500;

/** The list of sessions at the side; it asks the server only while it can be seen. */
export class Sidebar extends ReactWidget {
  constructor(
    private readonly _model: ISessionsModel,
    private readonly _notices: INotices
  ) {
    super();
    this.id = 'jido-sessions';
    this.addClass('jp-jido-sidebar');
    this.title.icon = jidoIcon;
    this.title.caption = 'Jido sessions';
    this._poll = new Poll({
      name: 'jido:sessions',
      factory: () => this._model.refresh(),
      frequency: { interval: POLL_INTERVAL_MS, backoff: false },
      standby: () => !this.isVisible || document.hidden
    });
    document.addEventListener('visibilitychange', this._onPageVisibility);
  }

  dispose(): void {
    document.removeEventListener('visibilitychange', this._onPageVisibility);
    this._poll.dispose();
    super.dispose();
  }

  protected render(): JSX.Element {
    return <SidebarApp sessions={this._model} notices={this._notices} clock={Date.now} />;
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    void this._poll.refresh();
  }

  private readonly _onPageVisibility = (): void => {
    if (this.isVisible && !document.hidden) {
      void this._poll.refresh();
    }
  };

  private readonly _poll: Poll;
}
