// @vitest-environment jsdom

import { act, fireEvent, render, screen } from '@testing-library/react';
import React from 'react';
import { describe, expect, it } from 'vitest';

import { FakeChat, FakeSessions } from '../../test/fakes';
import { detail, message, NOW_MS, problem, summary } from '../../test/samples';
import { ChatModel } from '../chat';
import { SessionsModel } from '../model';
import { Notices } from '../notices';
import { ProblemError } from '../problem';
import { PanelApp } from './PanelApp';

const clock = () => NOW_MS;

async function show({ store = new FakeSessions(), transport = new FakeChat() } = {}) {
  const notices = new Notices();
  const sessions = new SessionsModel(store, notices, clock);
  const chat = new ChatModel(transport, notices, clock);
  render(<PanelApp sessions={sessions} chat={chat} notices={notices} clock={clock} />);
  await act(async () => {
    await sessions.refresh();
    await chat.refresh();
  });
  return { chat, transport };
}

const composer = () => screen.getByTestId<HTMLTextAreaElement>('jido-composer');

async function type(text: string, key: object = { key: 'Enter' }): Promise<void> {
  fireEvent.change(composer(), { target: { value: text } });
  await act(async () => {
    fireEvent.keyDown(composer(), key);
  });
}

describe('the header', () => {
  it('shows the title and what is saved', async () => {
    await show();

    expect(screen.getByTestId('jido-current-title').textContent).toBe('Outliers');
    expect(screen.getByTestId('jido-saved-state').textContent).toBe('saved · revision 3-abc');
  });

  it('shows the new revision after Save', async () => {
    await show();

    await act(async () => {
      fireEvent.click(screen.getByTestId('jido-save'));
    });

    expect(screen.getByTestId('jido-saved-state').textContent).toBe('saved · revision 4-def');
  });

  it('opens the list, where the session open here has no Resume', async () => {
    await show({ store: new FakeSessions([summary(), summary({ id: 's2', title: 'Other' })]) });

    fireEvent.click(screen.getByTestId('jido-toggle-list'));

    expect(screen.getByText('Open here')).toBeTruthy();
    expect(screen.getAllByTestId('jido-resume').map(b => b.getAttribute('aria-label'))).toEqual([
      'Resume Other'
    ]);
  });

  it('offers nothing to save where there is no session', async () => {
    const transport = new FakeChat();
    transport.current = async () => null;
    await show({ transport });

    expect(screen.queryByTestId('jido-save')).toBeNull();
    expect(screen.getByTestId('jido-current-title').textContent).toBe('No session');
  });
});

describe('the composer', () => {
  it('sends by Enter and is empty then', async () => {
    const { transport } = await show();

    await type('And week 41?');

    expect(transport.prompts).toEqual(['And week 41?']);
    expect(composer().value).toBe('');
  });

  it('breaks the line by Shift+Enter, where the caret is', async () => {
    const { transport } = await show();
    fireEvent.change(composer(), { target: { value: 'And week' } });
    composer().setSelectionRange(3, 4);

    fireEvent.keyDown(composer(), { key: 'Enter', shiftKey: true });

    expect(composer().value).toBe('And\nweek');
    expect(transport.prompts).toEqual([]);
  });

  it('does not send while an input method is composing', async () => {
    const { transport } = await show();

    await type('And week', { key: 'Enter', isComposing: true });

    expect(transport.prompts).toEqual([]);
  });

  it('keeps the text of a refused prompt', async () => {
    const transport = new FakeChat();
    transport.ask = () => Promise.reject(new ProblemError(problem({ detail: 'No model is set.' })));
    await show({ transport });

    await type('And week 41?');

    expect(composer().value).toBe('And week 41?');
    expect(screen.getByTestId('jido-problem').textContent).toContain('No model is set.');
  });

  it('offers Stop while an answer is written, and Send after it', async () => {
    const { chat } = await show();
    await type('And week 41?');
    act(() => chat.receiveDelta('m2', 'One **row**'));
    const streaming = screen.getAllByTestId('jido-message').at(-1)!;
    const during = [screen.queryByTestId('jido-stop'), screen.queryByTestId('jido-send')];
    const status = streaming.dataset.status;

    act(() => chat.receiveTurnEnd(message({ id: 'm2' })));

    expect(during.map(Boolean)).toEqual([true, false]);
    expect(status).toBe('streaming');
    expect(screen.queryByTestId('jido-stop')).toBeNull();
    expect(screen.getByTestId('jido-send')).toBeTruthy();
  });

  it('names the model of the last answer', async () => {
    const transport = new FakeChat();
    transport.current = async () =>
      detail({ messages: [message({ id: 'a', model: 'old' }), message({ id: 'b', model: 'newer' })] });
    await show({ transport });

    expect(document.querySelector('.jp-jido-composer')?.textContent).toContain('newer');
  });
});
