import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Signal } from '@lumino/signaling';
import { describe, expect, it, vi } from 'vitest';

import schema from '../schema/plugin.json';
import { userSettings } from './settings';

/** The registry of a host in which the user chose `composite`. */
function registryWith(composite: object) {
  const settings = { composite, changed: new Signal<object, void>({}) };
  const registry = { load: async () => settings } as unknown as ISettingRegistry;
  const choose = (chosen: object): void => {
    settings.composite = chosen;
    settings.changed.emit();
  };
  return { registry, choose };
}

describe('settings', () => {
  it('have the defaults that the schema tells', async () => {
    const settings = userSettings(null, 'plugin');
    await settings.ready;
    const told = Object.entries(schema.properties).map(([name, { default: value }]) => [name, value]);

    expect(settings.state.value).toEqual(Object.fromEntries(told));
  });

  it('are what the user chose, and follow him', async () => {
    const { registry, choose } = registryWith({ offersSession: false });
    const settings = userSettings(registry, 'plugin');
    await settings.ready;
    expect(settings.state.value).toEqual({ offersSession: false, showsToolbarButton: true });

    choose({ offersSession: true, showsToolbarButton: false });
    expect(settings.state.value).toEqual({ offersSession: true, showsToolbarButton: false });
  });

  it('keep their defaults where the host has no schema of ours, and say so', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const registry = { load: () => Promise.reject(new Error('no schema')) } as unknown as ISettingRegistry;
    const settings = userSettings(registry, 'plugin');
    await settings.ready;

    expect(settings.state.value.offersSession).toBe(true);
    expect(warn).toHaveBeenCalledOnce();
  });
});
