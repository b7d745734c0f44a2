/** What users choose in the Settings Editor; the schema is schema/plugin.json. */

import { ISettingRegistry } from '@jupyterlab/settingregistry';

import { IObservable, Observable } from './observable';

export type Settings = {
  /** A notebook that is opened says that it has a session. */
  readonly offersSession: boolean;
  /** A notebook's toolbar names its session. */
  readonly showsToolbarButton: boolean;
};

const DEFAULTS: Settings = { offersSession: true, showsToolbarButton: true };

export interface IUserSettings {
  readonly state: IObservable<Settings>;
  /** Done when they are known; a host without settings has the defaults. */
  readonly ready: Promise<void>;
}

/** Follow what the user chooses for `plugin`. */
export function userSettings(registry: ISettingRegistry | null, plugin: string): IUserSettings {
  const state = new Observable(DEFAULTS);
  const follow = async (from: ISettingRegistry): Promise<void> => {
    const settings = await from.load(plugin);
    const take = (): void => {
      state.value = { ...DEFAULTS, ...(settings.composite as Partial<Settings>) };
    };
    settings.changed.connect(take);
    take();
  };
  const told = (reason: unknown): void => console.warn('The settings of Jido keep their defaults.', reason);
  return { state, ready: registry === null ? Promise.resolve() : follow(registry).catch(told) };
}
