/** The button in a notebook's toolbar that names the notebook's session. */

import { Widget } from '@lumino/widgets';

import { jidoIcon } from './icon';
import { NotebookSession } from './notebooks';
import { IObservable } from './observable';
import { Settings } from './settings';
import { ITrans } from './translation';

/** As schema/plugin.json calls it. */
export const TOOLBAR_ITEM = 'jidoSession';

export class SessionButton extends Widget {
  /**
   * @param onClick is given the session's id; null where the notebook has none.
   */
  constructor(
    private readonly _session: IObservable<NotebookSession | null>,
    private readonly _settings: IObservable<Settings>,
    private readonly _trans: ITrans,
    onClick: (id: string | null) => void
  ) {
    super();
    this.addClass('jp-jido-session-item');
    this._button.type = 'button';
    this._button.className = 'jp-jido-session-button';
    this._button.dataset.testid = 'jido-session-button';
    this._button.addEventListener('click', () => onClick(this._session.value?.session.id ?? null));
    jidoIcon.element({ container: this._button.appendChild(document.createElement('span')) });
    this._button.append(this._name);
    this.node.append(this._button);
    this._ends = [this._session.subscribe(() => this._show()), this._settings.subscribe(() => this._show())];
    this._show();
  }

  dispose(): void {
    this._ends.forEach(end => end());
    super.dispose();
  }

  private _show(): void {
    const shown = this._session.value;
    this.setHidden(!this._settings.value.showsToolbarButton);
    this._name.textContent = shown?.session.title ?? this._trans.__('No session');
    this._button.classList.toggle('jp-mod-here', shown?.isHere ?? false);
    this._button.title = this._sentence(shown);
  }

  private _sentence(shown: NotebookSession | null): string {
    if (shown === null) {
      return this._trans.__('This notebook has no Jido session; click to see all sessions');
    }
    const { title } = shown.session;
    return shown.isHere
      ? this._trans.__('“%1” is open in this notebook; click to read it', title)
      : this._trans.__('“%1” belongs to this notebook, and is not open in it; click to read it', title);
  }

  private readonly _button = document.createElement('button');
  private readonly _name = document.createElement('span');
  private readonly _ends: (() => void)[];
}
