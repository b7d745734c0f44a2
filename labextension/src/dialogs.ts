/** What commands ask the user, by the host's own dialogs. Each answers null where the user changed his mind. */

import { Dialog, InputDialog, showDialog } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';

import { ITrans } from './translation';
import { Summary } from './types';

const SHORT = 8; // characters of an id that tell sessions of one title apart

export interface IDialogs {
  title(current: string): Promise<string | null>;
  session(sessions: readonly Summary[]): Promise<string | null>;
  format(formats: readonly string[]): Promise<string | null>;
  files(): Promise<readonly File[] | null>;
}

export class Dialogs implements IDialogs {
  constructor(private readonly _trans: ITrans) {}

  async title(current: string): Promise<string | null> {
    const title = this._trans.__('Rename the session');
    const { value, button } = await InputDialog.getText({ title, text: current, okLabel: this._trans.__('Rename') });
    return button.accept && value?.trim() ? value.trim() : null;
  }

  /** One of the list, or any other by its id. */
  async session(sessions: readonly Summary[]): Promise<string | null> {
    const items = sessions.map(({ id, title }) => `${title} (${id.slice(0, SHORT)})`);
    const { value, button } = await showDialog({
      title: this._trans.__('Resume a session'),
      body: new Chooser(this._trans.__('Choose one, or give its id'), items),
      buttons: [Dialog.cancelButton(), Dialog.okButton({ label: this._trans.__('Resume') })],
      focusNodeSelector: 'input'
    });
    return button.accept && value ? (sessions[items.indexOf(value)]?.id ?? value) : null;
  }

  async format(formats: readonly string[]): Promise<string | null> {
    const names: Record<string, string> = {
      json: this._trans.__('JSON: everything, to import it again'),
      markdown: this._trans.__('Markdown: the conversation, to read'),
      ipynb: this._trans.__('Notebook: the questions as cells')
    };
    const items = formats.map(format => names[format] ?? format);
    const { value, button } = await InputDialog.getItem({
      title: this._trans.__('Export the session'),
      okLabel: this._trans.__('Export'),
      items
    });
    return button.accept && value !== null ? (formats[items.indexOf(value)] ?? null) : null;
  }

  files(): Promise<readonly File[] | null> {
    const field = document.createElement('input');
    field.type = 'file';
    field.multiple = true;
    return new Promise(resolve => {
      field.addEventListener('change', () => resolve([...(field.files ?? [])]));
      field.addEventListener('cancel', () => resolve(null));
      field.click();
    });
  }
}

/** A field with proposals. JupyterLab's own begins with the first of them in it, which hides the others. */
class Chooser extends Widget implements Dialog.IBodyWidget<string> {
  constructor(label: string, items: readonly string[]) {
    super({ node: document.createElement('label') });
    const list = document.createElement('datalist');
    list.id = 'jido-sessions-to-choose';
    list.append(...items.map(item => new Option(item)));
    this._field.className = 'jp-mod-styled';
    this._field.setAttribute('list', list.id);
    this.node.append(label, this._field, list);
  }

  getValue(): string {
    return this._field.value.trim();
  }

  private readonly _field = document.createElement('input');
}
