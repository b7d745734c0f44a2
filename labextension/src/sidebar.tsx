import { ReactWidget } from '@jupyterlab/apputils';
import { Poll } from '@lumino/polling';
import { Message } from '@lumino/messaging';
import React from 'react';

import { jidoIcon } from './icon';
import { Lazy } from './lazy';
import { INotices } from './notices';
import { SidebarModel } from './sidebarmodel';
import { ITrans } from './translation';
import { LazyTranscript } from './ui/LateTranscript';
import { SidebarApp } from './ui/SidebarApp';
import { Words } from './ui/words';

const POLL_INTERVAL_MS = 1500;

/** The sessions at the side; the server is listened to, or asked, only while they can be seen. */
export class Sidebar extends ReactWidget {
  constructor(
    private readonly _model: SidebarModel,
    private readonly _notices: INotices,
    private readonly _trans: ITrans
  ) {
    super();
    this.id = 'jido-sessions';
    this.addClass('jp-jido-sidebar');
    this.title.icon = jidoIcon;
    this.title.caption = _trans.__('Jido sessions');
    this._poll = new Poll({
      name: 'jido:sessions',
      factory: () => this._model.refresh(),
      frequency: { interval: POLL_INTERVAL_MS, backoff: false },
      standby: () => !this._isSeen || this._model.isTold.value
    });
    document.addEventListener('visibilitychange', this._onPageVisibility);
    // While the page is still being built, so that the list stands there when it is ready.
    void this._model.refresh();
  }

  dispose(): void {
    document.removeEventListener('visibilitychange', this._onPageVisibility);
    this._poll.dispose();
    this._model.sleep();
    super.dispose();
  }

  protected render(): JSX.Element {
    return (
      <Words.Provider value={this._trans}>
        <SidebarApp sessions={this._model} notices={this._notices} transcript={this._transcript} clock={Date.now} />
      </Words.Provider>
    );
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._look();
  }

  protected onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this._look();
  }

  private get _isSeen(): boolean {
    return this.isVisible && !document.hidden;
  }

  private readonly _onPageVisibility = (): void => this._look();

  private _look(): void {
    if (this._isSeen) {
      this._model.wake();
      void this._poll.refresh();
    } else {
      this._model.sleep();
    }
  }

  private readonly _poll: Poll;
  private readonly _transcript: LazyTranscript = new Lazy(async () => (await import('./ui/Transcript')).Transcript);
}
