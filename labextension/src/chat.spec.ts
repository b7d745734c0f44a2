import { expect, it, describe } from 'vitest';

import { FakeChat } from '../test/fakes';
import { detail, message, NOW_MS, problem } from '../test/samples';
import { ChatModel, conversation } from './chat';
import { Notices } from './notices';
import { ProblemError } from './problem';

async function setUp(transport = new FakeChat()) {
  const notices = new Notices();
  const chat = new ChatModel(transport, notices, () => NOW_MS);
  await chat.refresh();
  return { chat, notices, transport };
}

function texts(chat: ChatModel): string[] {
  return conversation(chat.state.value).map(({ parts }) =>
    parts.map(part => part.content ?? '').join('|')
  );
}

describe('a turn', () => {
  it('shows the question at once and the answer as it grows', async () => {
    const { chat } = await setUp();

    await chat.ask('And week 41?');
    chat.receiveDelta('m2', 'One ');
    chat.receiveDelta('m2', 'row.');

    expect(texts(chat)).toEqual(['Week 32 stands out.', 'And week 41?', 'One row.']);
    expect(chat.state.value.streaming).toBe('m2');
  });

  it('ends with the final message in place of the streamed one', async () => {
    const { chat } = await setUp();
    await chat.ask('And week 41?');
    chat.receiveDelta('m2', 'One ro');

    chat.receiveTurnEnd(
      message({ id: 'm2', status: 'interrupted', parts: [{ type: 'text', content: 'One row' }] })
    );

    expect(texts(chat).at(-1)).toBe('One row');
    expect(conversation(chat.state.value).at(-1)?.status).toBe('interrupted');
    expect(chat.state.value.streaming).toBeNull();
  });

  it('ignores text for a message nobody asked for here', async () => {
    const { chat } = await setUp();
    const before = texts(chat);

    chat.receiveDelta('unknown', 'Lost words');

    expect(texts(chat)).toEqual(before);
    expect(chat.state.value.streaming).toBeNull();
  });

  it('ignores text which comes after the end', async () => {
    const { chat } = await setUp();
    await chat.ask('And week 41?');
    chat.receiveTurnEnd(message({ id: 'm2', parts: [{ type: 'text', content: 'Done.' }] }));
    chat.adopt(
      detail({ messages: [message({ id: 'm2', parts: [{ type: 'text', content: 'Done.' }] })] })
    );

    chat.receiveDelta('m2', ' Late');

    expect(texts(chat)).toEqual(['Done.']);
  });

  it('goes on in a page opened in the middle of it', async () => {
    const { chat } = await setUp();

    chat.receiveDelta('m1', ' So does 41.');

    expect(texts(chat)).toEqual(['Week 32 stands out. So does 41.']);
    expect(chat.state.value.streaming).toBe('m1');
  });

  it('keeps what was streamed when the kernel sends its session meanwhile', async () => {
    const { chat } = await setUp();
    await chat.ask('And week 41?');
    chat.receiveDelta('m2', 'One row.');

    chat.adopt(
      detail({ messages: [message(), message({ id: 'u2', role: 'user' }), message({ id: 'm2', parts: [] })] })
    );

    expect(conversation(chat.state.value).map(({ id }) => id)).toEqual(['m1', 'u2', 'm2']);
    expect(texts(chat).at(-1)).toBe('One row.');
  });

  it('shows no message twice once the session holds the turn', async () => {
    const { chat } = await setUp();
    await chat.ask('And week 41?');
    const answer = message({ id: 'm2' });
    chat.receiveTurnEnd(answer);

    chat.adopt(detail({ messages: [message(), message({ id: 'u2', role: 'user' }), answer] }));

    expect(conversation(chat.state.value).map(({ id }) => id)).toEqual(['m1', 'u2', 'm2']);
  });

  it('begins also where there is no session yet', async () => {
    const transport = new FakeChat();
    transport.current = async () => null;
    const { chat } = await setUp(transport);

    await chat.ask('Hello');
    chat.adopt(detail({ messages: [message({ id: 'u2', role: 'user' })] }));
    chat.receiveDelta('m2', 'Hi.');

    expect(conversation(chat.state.value).map(({ id }) => id)).toEqual(['u2', 'm2']);
  });

  it('leaves a refused prompt with the user', async () => {
    const { chat, notices, transport } = await setUp();
    transport.ask = () => Promise.reject(new ProblemError(problem({ detail: 'No model is set.' })));

    const taken = await chat.ask('Hello');

    expect(taken).toBe(false);
    expect(chat.state.value.asking).toBe(false);
    expect(notices.state.value[0].lines).toEqual(['No model is set.']);
  });

  it('takes no second prompt before it has ended', async () => {
    const { chat, transport } = await setUp();
    await chat.ask('First');

    const taken = await chat.ask('Second');

    expect(taken).toBe(false);
    expect(transport.prompts).toEqual(['First']);
  });
});

describe('the session', () => {
  it('loses between turns what the kernel took back', async () => {
    const { chat } = await setUp();
    await chat.ask('And week 41?');
    chat.receiveTurnEnd(message({ id: 'm2' }));

    chat.adopt(detail());

    expect(conversation(chat.state.value).map(({ id }) => id)).toEqual(['m1']);
  });

  it('changes with the kernel, and an unfinished turn of the old one goes', async () => {
    const { chat } = await setUp();
    await chat.ask('And week 41?');

    chat.adopt(detail({ id: 's2', messages: [] }));

    expect(conversation(chat.state.value)).toEqual([]);
    expect(chat.state.value.streaming).toBeNull();
  });

  it('has the new revision after a save, and keeps its messages', async () => {
    const { chat } = await setUp();

    await chat.save();

    expect(chat.state.value.session?.revision).toBe('4-def');
    expect(chat.state.value.session?.messages).toHaveLength(1);
  });

  it('stays as it is when a save fails, with a notice', async () => {
    const { chat, notices, transport } = await setUp();
    transport.save = () => Promise.reject(new ProblemError(problem({ code: 'store_full' })));

    await chat.save();

    expect(chat.state.value.session?.revision).toBe('3-abc');
    expect(chat.state.value.saving).toBe(false);
    expect(notices.state.value).toMatchObject([{ topic: 'save', kind: 'problem' }]);
  });

  it('is a new one after New', async () => {
    const { chat } = await setUp();

    await chat.create();

    expect(chat.state.value.session?.id).toBe('new');
  });

  it('is none after Close', async () => {
    const { chat } = await setUp();

    await chat.close();

    expect(chat.state.value.session).toBeNull();
  });
});
