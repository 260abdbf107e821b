import { describe, expect, it } from '@jest/globals';
import type { AccountViewDto } from '../../accounts/dto/accounts.dto.js';
import type { Party } from '../../chat/conversations.service.js';
import type { ConversationDto } from '../../chat/dto/conversation.dto.js';
import type { MessageDto } from '../../chat/dto/message.dto.js';
import {
  accountId,
  conversationWire,
  doerOf,
  FRAMES,
  loginName,
  messageWire,
  oneAccountWire,
  pageWire,
  partyOf,
  personId,
  shownName,
  startedWire,
  WEB_FRAMES,
  webConversationWire,
  webMessageWire,
} from './gymgem.wire.js';

const AT = new Date('2026-01-31T18:30:00Z');
const profile = { id: 30, profile_type: 'trainer' } as const;
const ana: Party = { id: 1, username: 'ana', full_name: 'Ana Ruiz', email: null, profile };
const bob: Party = { id: 2, username: null, full_name: null, email: 'bob@example.com', profile: null };
const parties = new Map([ana, bob].map((party) => [party.id, party]));
const people = [ana, bob].map(({ id, username, full_name }) => ({ id, username, full_name }));
const message = {
  ...{ id: 4, conversation_id: 7, sender: people[1], content: null, timestamp: AT },
  attachment: { id: 5, name: 'a.png', content_type: 'image/png', size: 9, url: '/link' },
  ...{ is_read: true, read_at: AT, is_deleted: false, edited_at: null },
} as MessageDto;
const conversation = { id: 7, participants: people, created_at: AT, unread_count: 3, last_message: null };

describe('what clients of gymgem read', () => {
  it('calls people by what they sign in with, or by their name', () => {
    expect([ana, bob].map(loginName)).toEqual(['ana', 'bob@example.com']);
    expect([ana, bob].map(shownName)).toEqual(['Ana Ruiz', 'bob@example.com']);
    expect(loginName({ ...bob, email: null, full_name: 'Deleted' })).toBe('Deleted');
    expect([ana, bob].map(personId)).toEqual([30, -2]);
    expect(partyOf(new Map(), people[0]!)).toEqual({ ...people[0], email: null, profile: null });
  });

  it('has accounts with two names', () => {
    const account = { id: 8, username: null, full_name: null, email: null, profile_types: ['store'] };
    expect(oneAccountWire({ ...account, created_at: null, updated_at: null } as AccountViewDto)).toEqual({
      ...{ id: 8, username: null, email: null, firstName: '', lastName: '', createdAt: null, updatedAt: null },
      profiles: [{ profile_type: 'store' }],
    });
  });

  it('has conversations and messages, for each version', () => {
    expect(conversationWire(conversation, parties, accountId).participants).toEqual([
      { id: 1, username: 'ana' },
      { id: 2, username: 'bob@example.com' },
    ]);
    expect(startedWire(conversation, parties, personId)).toEqual({ id: 7, participants: [30, -2], created_at: AT });
    const body = {
      ...{ id: 4, content: '', attachment: '/link', timestamp: AT },
      ...{ is_read: true, read_at: AT, is_deleted: false, edited_at: null },
    };
    expect(messageWire(message, parties)).toEqual({ ...body, sender: 'bob@example.com' });
    expect(webMessageWire(message, parties)).toEqual({ ...body, sender: -2, sender_name: 'bob@example.com' });
    const talk = { ...conversation, last_message: message } as unknown as ConversationDto;
    expect(webConversationWire(talk, parties, ana)).toMatchObject({
      ...{ other_participant_id: 30, other_participant_name: 'Ana Ruiz', other_participant_role: 'trainer' },
      ...{ last_message: { content: '', attachment: '/link', timestamp: AT }, last_message_timestamp: AT },
      unread_count: 3,
    });
  });

  it.each([
    [{ page: 1, pages: 1, total: 0 }, null, null],
    [{ page: 1, pages: 3, total: 120 }, 'page 2', null],
    [{ page: 3, pages: 3, total: 120 }, null, 'page 2'],
    [{ page: 9, pages: 3, total: 120 }, null, 'page 3'],
  ])('has %j with its neighbours', (page, next, previous) => {
    const results: unknown[] = [];
    const addressOf = (number: number) => `page ${number}`;
    expect(pageWire(page, addressOf, results)).toEqual({ count: page.total, next, previous, results });
  });

  it('has a frame for each event, in which the doer is named', () => {
    const about = { message_id: 4, conversation_id: 7 };
    const person = people[0]!;
    const news = { ...about, new_content: 'Hi', edited_by: person, edited_at: AT };
    expect(doerOf(news)).toBe(person);
    expect(FRAMES.message_edited(news, ana)).toEqual({
      ...{ type: 'message_edited', message_id: 4, new_content: 'Hi', edited_by: 'ana', edited_at: AT, editor: 'ana' },
    });
    expect(WEB_FRAMES.message_edited(news, ana)).toEqual({
      ...{ type: 'edit', message_id: 4, content: 'Hi', edited_at: AT, editor: 'ana' },
    });
    const said = { ...about, sender: person, content: null, attachment: null, timestamp: AT };
    expect(doerOf(said)).toBe(person);
    expect(WEB_FRAMES.chat_message(said, ana)).toEqual({
      ...{ type: 'chat_message', message_id: 4, sender: 'ana', content: '', timestamp: AT },
      ...{ sender_id: 30, sender_name: 'Ana Ruiz', attachment: null },
    });
    expect(doerOf({ ...about, read_by: person, read_at: AT })).toBe(person);
    expect(doerOf({ ...about, deleted_by: person, deleted_at: AT })).toBe(person);
    expect(doerOf({ conversation_id: 7, user: person, is_typing: true })).toBe(person);
  });
});
