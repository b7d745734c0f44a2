import { describe, expect, it, vi } from 'vitest';

import { FakeChat } from '../test/fakes';
import { head, message, NOW_MS, problem } from '../test/samples';
import { ChatModel, conversation } from './chat';
import { Notices } from './notices';
import { ProblemError } from './problem';
import { Message } from './types';

async function setUp(transport = new FakeChat()) {
  const notices = new Notices();
  const chat = new ChatModel(transport, notices, () => NOW_MS);
  await chat.refresh();
  return { chat, notices, transport };
}

function texts(chat: ChatModel): (string | undefined)[] {
  return conversation(chat.state.value).map(found => found?.parts.map(part => part.content ?? part.type).join('|'));
}

const text = (content: string) => [{ type: 'text', content }];
const QUESTION = message({ id: 'u2', role: 'user', parts: text('And week 41?') });

async function begin(chat: ChatModel): Promise<void> {
  await chat.ask('And week 41?');
  chat.receiveAsked(QUESTION);
  chat.receiveBegan('m2');
}

describe('a turn', () => {
  it('shows the question at once and the answer as it grows', async () => {
    const { chat } = await setUp();

    await begin(chat);
    chat.receiveReasoning('m2', 'Look ');
    chat.receiveReasoning('m2', 'it up.');
    chat.receiveDelta('m2', 'One ');
    chat.receiveDelta('m2', 'row.');

    expect(texts(chat)).toEqual(['Week 32 stands out.', 'And week 41?', 'Look it up.|One row.']);
    expect(chat.state.value.streaming).toBe('m2');
  });

  it('goes over several steps, with the tools between them', async () => {
    const { chat } = await setUp();
    await begin(chat);
    const call = { type: 'tool_call', id: 't1', name: 'look', arguments: {} };
    chat.receiveSaid(message({ id: 'm2', parts: [call] }));
    chat.receiveCall({ id: 't1', name: 'look', arguments: {} });
    const calling = chat.state.value.calling;
    chat.receiveSaid(
      message({ id: 't', role: 'tool', parts: [{ type: 'tool_call_response', id: 't1', response: '3 rows' }] })
    );
    chat.receiveBegan('m3');
    chat.receiveDelta('m3', 'Three.');
    chat.receiveSaid(message({ id: 'm3', parts: text('Three.') }));
    const isAnswering = chat.state.value.isAnswering;

    chat.receiveTurnEnd();

    expect(conversation(chat.state.value).map(found => found?.id)).toEqual(['m1', 'u2', 'm2', 't', 'm3']);
    expect([calling, isAnswering, chat.state.value.isAnswering]).toEqual(['t1', true, false]);
  });

  it('ends with the final message in place of the streamed one', async () => {
    const { chat } = await setUp();
    await begin(chat);
    chat.receiveDelta('m2', 'One ro');

    chat.receiveSaid(message({ id: 'm2', status: 'interrupted', parts: text('One row') }));
    chat.receiveTurnEnd();

    expect(texts(chat).at(-1)).toBe('One row');
    expect(conversation(chat.state.value).at(-1)?.status).toBe('interrupted');
    expect(chat.state.value.streaming).toBeNull();
  });

  it('ignores text for a message that nobody writes', async () => {
    const { chat } = await setUp();
    const before = texts(chat);

    chat.receiveDelta('unknown', 'Lost words');

    expect(texts(chat)).toEqual(before);
  });

  it('goes on in a page that is opened in the middle of it', async () => {
    const transport = new FakeChat();
    transport.hello = async () => ({
      current: head({ is_busy: true }),
      turn: { message_id: 'm2', text: 'So does', reasoning: 'Hm.' },
      consent: null,
      notebook: null
    });
    const { chat } = await setUp(transport);

    chat.receiveDelta('m2', ' 41.');

    expect(texts(chat)).toEqual(['Week 32 stands out.', 'Hm.|So does 41.']);
    expect(chat.state.value.isAnswering).toBe(true);
  });

  it('shows no message twice once the session holds the turn', async () => {
    const { chat, transport } = await setUp();
    await begin(chat);
    const answer = message({ id: 'm2', parts: text('One row.') });
    chat.receiveSaid(answer);
    transport.said = [message(), QUESTION, answer];

    await chat.adopt(head({ revision: '6-busy' }));
    const during = conversation(chat.state.value).map(found => found?.id);
    chat.receiveTurnEnd();
    await chat.adopt(head({ revision: '7-end' }));

    expect(during).toEqual(['m1', 'u2', 'm2']);
    expect(conversation(chat.state.value).map(found => found?.id)).toEqual(['m1', 'u2', 'm2']);
    expect(chat.state.value.tail).toEqual([]);
  });

  it('leaves a refused prompt with the user', async () => {
    const { chat, notices, transport } = await setUp();
    transport.ask = () => Promise.reject(new ProblemError(problem({ detail: 'No model is set.' })));

    const taken = await chat.ask('Hello');

    expect(taken).toBe(false);
    expect(chat.busy.value.size).toBe(0);
    expect(notices.state.value[0].lines).toEqual(['No model is set.']);
  });

  it('takes no second prompt before it has ended', async () => {
    const { chat, transport } = await setUp();
    await begin(chat);

    const taken = [await chat.ask('Second'), await chat.retry()];

    expect(taken).toEqual([false, false]);
    expect(transport.prompts).toEqual(['And week 41?']);
  });
});

describe('consent', () => {
  const CONSENT = { id: 'c1', tool: 'run_code', summary: 'set x', code: 'x = 1' };

  it('is given to the question that is shown', async () => {
    const { chat, transport } = await setUp();
    chat.receiveConsent(CONSENT);

    await chat.settle(true, true);

    expect(transport.done).toEqual(['settle c1 true true']);
    chat.dispose();
  });

  it('is no longer asked for once it is over', async () => {
    const { chat } = await setUp();
    chat.receiveConsent(CONSENT);

    chat.receiveConsentOver('another');
    const still = chat.state.value.consent;
    chat.receiveConsentOver('c1');

    expect(still).toEqual(CONSENT);
    expect(chat.state.value.consent).toBeNull();
  });

  it('tells the kernel that the page is still there while it is asked', async () => {
    vi.useFakeTimers();
    const { chat, transport } = await setUp();
    let heard = 0;
    transport.here = async () => void (heard += 1);
    chat.receiveConsent(CONSENT);

    vi.advanceTimersByTime(60_000);
    chat.receiveConsent(null);
    vi.advanceTimersByTime(60_000);
    vi.useRealTimers();

    expect(heard).toBe(3);
  });
});

describe('the session', () => {
  it('loses after a rewind what came later', async () => {
    const transport = new FakeChat();
    transport.said = [message(), QUESTION, message({ id: 'm2' })];
    const { chat } = await setUp(transport);

    await chat.rewind('m1');

    expect(conversation(chat.state.value).map(found => found?.id)).toEqual(['m1']);
  });

  it('changes with the kernel, and an unfinished turn of the old one goes', async () => {
    const { chat, transport } = await setUp();
    await begin(chat);
    transport.said = [];

    await chat.adopt(head({ id: 's2', revision: '1-new' }));

    expect(conversation(chat.state.value)).toEqual([]);
    expect(chat.state.value.isAnswering).toBe(false);
  });

  it('keeps the message objects that it knows, so that they are not drawn again', async () => {
    const { chat, transport } = await setUp();
    const before = conversation(chat.state.value)[0];
    transport.said = [message(), QUESTION].map((found): Message => ({ ...found }));

    await chat.adopt(head({ revision: '9-x' }));

    expect(conversation(chat.state.value)[0]).toBe(before);
    expect(conversation(chat.state.value)).toHaveLength(2);
  });

  it('stays as it is when a save fails, with a notice', async () => {
    const { chat, notices, transport } = await setUp();
    transport.save = () => Promise.reject(new ProblemError(problem({ code: 'store_full' })));

    await chat.save();

    expect(chat.state.value.session?.revision).toBe('3-abc');
    expect(notices.state.value).toMatchObject([{ topic: 'save', kind: 'problem' }]);
  });

  it('is a new one after New, and none after Close', async () => {
    const { chat } = await setUp();

    await chat.create();
    const made = chat.state.value.session?.id;
    await chat.close();

    expect(made).toBe('new');
    expect(chat.state.value.session).toBeNull();
  });

  it('shows a ticked todo before the kernel has answered', async () => {
    const { chat, transport } = await setUp();
    transport.setTodos = () => new Promise(() => undefined);

    void chat.setTodos([{ text: 'plot', status: 'done' }]);

    expect(chat.state.value.session?.todos).toEqual([{ text: 'plot', status: 'done' }]);
  });
});
