import { AskReceipt, IChatTransport } from '../src/chat';
import { ISessionsTransport } from '../src/model';
import { Briefing, Detail, Summary } from '../src/types';
import { detail, summary } from './samples';

/** A store in memory; tests replace single methods to make them fail. */
export class FakeSessions implements ISessionsTransport {
  constructor(public stored: Summary[] = [summary()]) {}

  resumed: string[] = [];

  list = async (): Promise<Summary[] | null> => this.stored;

  show = async (id: string): Promise<Detail> => detail({ id });

  remove = async (id: string): Promise<void> => {
    this.stored = this.stored.filter(session => session.id !== id);
  };

  resume = async (id: string): Promise<Briefing | null> => {
    this.resumed.push(id);
    return null;
  };
}

export class FakeChat implements IChatTransport {
  prompts: string[] = [];

  current = async (): Promise<Detail | null> => detail();

  create = async (): Promise<Detail> => detail({ id: 'new', title: 'New session', messages: [] });

  save = async (): Promise<Summary> => summary({ revision: '4-def' });

  close = async (): Promise<void> => {};

  ask = async (prompt: string): Promise<AskReceipt> => {
    this.prompts.push(prompt);
    return { user_message_id: 'u2', message_id: 'm2' };
  };

  stop = async (): Promise<void> => {};
}

/** Fails with `reason` until `heal` is called. */
export function broken<T>(reason: Error, healthy: () => Promise<T>) {
  let isBroken = true;
  const call = (): Promise<T> => (isBroken ? Promise.reject(reason) : healthy());
  return { call, heal: () => (isBroken = false) };
}
