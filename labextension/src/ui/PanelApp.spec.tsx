// @vitest-environment jsdom

import { act, fireEvent, render, screen } from '@testing-library/react';
import React from 'react';
import { describe, expect, it } from 'vitest';

import { FakeChat, FakeSessions, FakeStore } from '../../test/fakes';
import { head, message, NOW_MS, problem, summary } from '../../test/samples';
import { ChatModel } from '../chat';
import { SessionsModel } from '../model';
import { Notices } from '../notices';
import { ProblemError } from '../problem';
import { Todo } from '../types';
import { PanelApp } from './PanelApp';

const clock = () => NOW_MS;
const NOTHING = { current: null, turn: null, consent: null, notebook: null };

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
    expect(screen.getByTestId('jido-saved-state').textContent).toBe('saved');
  });

  it('counts tokens, and says which are not known', async () => {
    const transport = new FakeChat();
    const usage = { input_tokens: 1200, output_tokens: 34, unknown: 1 };
    transport.hello = async () => ({ ...NOTHING, current: head({ usage, redacted: 2 }) });
    await show({ transport });

    expect(screen.getByTestId('jido-saved-state').textContent).toBe(
      'saved · 1,234 tokens and 1 answer unknown · 2 secrets taken out'
    );
  });

  it('opens the list, where the session open here has no Resume', async () => {
    await show({ store: new FakeSessions([summary(), summary({ id: 's2', title: 'Other' })]) });

    await act(async () => {
      fireEvent.click(screen.getByTestId('jido-toggle-list'));
    });

    expect(screen.getByText('Open here')).toBeTruthy();
    expect(screen.getAllByTestId('jido-resume').map(b => b.getAttribute('aria-label'))).toEqual([
      'Resume Other'
    ]);
  });

  it('offers nothing to save where there is no session', async () => {
    const transport = new FakeChat();
    transport.hello = async () => NOTHING;
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
    act(() => {
      chat.receiveAsked(message({ id: 'u2', role: 'user' }));
      chat.receiveBegan('m2');
      chat.receiveDelta('m2', 'One **row**');
    });
    const streaming = screen.getAllByTestId('jido-message').at(-1)!;
    const during = [screen.queryByTestId('jido-stop'), screen.queryByTestId('jido-send')];
    const status = streaming.dataset.status;

    act(() => {
      chat.receiveSaid(message({ id: 'm2' }));
      chat.receiveTurnEnd();
    });

    expect(during.map(Boolean)).toEqual([true, false]);
    expect(status).toBe('streaming');
    expect(screen.queryByTestId('jido-stop')).toBeNull();
    expect(screen.getByTestId('jido-send')).toBeTruthy();
  });

  it('names the model of the last answer', async () => {
    const transport = new FakeChat();
    transport.said = [message({ id: 'a', model: 'old' }), message({ id: 'b', model: 'newer' })];
    await show({ transport });

    expect(document.querySelector('.jp-jido-composer')?.textContent).toContain('newer');
  });
});

describe('what is asked and told', () => {
  const CONSENT = { id: 'c1', tool: 'run_code', summary: 'set x', code: 'x = 1' };

  it('shows the code before it runs, with nothing chosen beforehand', async () => {
    const { chat, transport } = await show();
    act(() => chat.receiveConsent(CONSENT));
    const focused = document.activeElement;
    const asked = screen.getByTestId('jido-consent').textContent;

    await act(async () => {
      fireEvent.click(screen.getByTestId('jido-deny'));
    });

    expect(asked).toContain('The assistant wants to use run_code: set x');
    expect(asked).toContain('x = 1');
    expect(focused).toBe(document.body);
    expect(transport.done).toEqual(['settle c1 false false']);
    chat.dispose();
  });

  it('does not say that a tool runs while the user is asked', async () => {
    const { chat } = await show();
    const call = { id: 't', name: 'run_code', arguments: {} };
    const outcome = () => screen.getByTestId('jido-call').dataset.outcome;
    act(() => {
      chat.receiveBegan('m2');
      chat.receiveSaid(message({ id: 'm2', parts: [{ type: 'tool_call', ...call }] }));
      chat.receiveCall(call);
      chat.receiveConsent(CONSENT);
    });
    const asked = outcome();

    act(() => chat.receiveConsentOver('c1'));

    expect([asked, outcome()]).toEqual(['waiting', 'running']);
  });

  it('leaves the room of the todos to what is asked', async () => {
    const transport = new FakeChat();
    transport.hello = async () => ({ ...NOTHING, current: head({ todos: [{ text: 'plot', status: 'open' }] }) });
    const { chat } = await show({ transport });
    const before = screen.queryByTestId('jido-todos');

    act(() => chat.receiveConsent(CONSENT));

    expect(before).not.toBeNull();
    expect(screen.queryByTestId('jido-todos')).toBeNull();
    chat.dispose();
  });

  it('reads an answer out once, when it is whole', async () => {
    const { chat } = await show();
    const live = () => document.querySelector('[aria-live=polite]')?.textContent;
    act(() => chat.receiveBegan('m2'));
    const heard = [live()];
    act(() => chat.receiveDelta('m2', 'One'));
    heard.push(live());
    act(() => {
      chat.receiveSaid(message({ id: 'm2', parts: [{ type: 'text', content: 'One row.' }] }));
      chat.receiveTurnEnd();
    });
    heard.push(live());

    expect(heard).toEqual(['The assistant is answering.', 'The assistant is answering.', 'Answer complete. One row.']);
  });

  it('says that the session was taken over, and takes it back', async () => {
    const transport = new FakeChat();
    transport.hello = async () => ({ ...NOTHING, current: head({ is_here: false }) });
    const store = new FakeStore();
    await show({ transport, store });
    fireEvent.change(composer(), { target: { value: 'still mine?' } });
    const isSendable = !screen.getByTestId<HTMLButtonElement>('jido-send').disabled;

    await act(async () => {
      fireEvent.click(screen.getByTestId('jido-take-back'));
    });

    expect(isSendable).toBe(false);
    expect(store.resumed).toEqual(['s1 taken over']);
  });

  it('ticks a todo off', async () => {
    const transport = new FakeChat();
    const todos: Todo[] = [{ text: 'plot', status: 'open' }];
    transport.hello = async () => ({ ...NOTHING, current: head({ todos }) });
    await show({ transport });

    await act(async () => {
      fireEvent.click(screen.getByRole('checkbox', { name: 'plot' }));
    });

    expect(screen.getByTestId('jido-todos').textContent).toContain('all done');
  });

  it('stops by Escape in the composer', async () => {
    const { chat, transport } = await show();
    act(() => chat.receiveBegan('m2'));

    await act(async () => {
      fireEvent.keyDown(composer(), { key: 'Escape' });
    });

    expect(transport.done).toEqual(['stop']);
  });
});
