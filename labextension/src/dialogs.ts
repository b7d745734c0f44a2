/** What commands ask the user, by the host's own dialogs. Each answers null where the user changed his mind. */

import { InputDialog } from '@jupyterlab/apputils';

import { ITrans } from './translation';
import { Summary } from './types';

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
    const items = sessions.map(({ id, title }) => `${title} (${id})`);
    const { value, button } = await InputDialog.getItem({
      title: this._trans.__('Resume a session'),
      label: this._trans.__('Choose one, or give its id'),
      okLabel: this._trans.__('Resume'),
      items,
      editable: true
    });
    const wanted = value?.trim();
    return button.accept && wanted ? (sessions[items.indexOf(wanted)]?.id ?? wanted) : null;
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
