import { Injectable, type OnModuleInit } from '@nestjs/common';
import { ConversationNotFound, MessageNotFound } from '../../chat/chat.errors.js';
import { ConversationsService, type Party } from '../../chat/conversations.service.js';
import { MessagesService } from '../../chat/messages.service.js';
import type { Actor } from '../../common/actor/actor.js';
import { ActorResolver } from '../../common/actor/actor-resolver.js';
import type { DomainError } from '../../common/errors/domain-error.js';
import { fromDigits, MAX_ID } from '../../common/http/whole.js';
import { closeCode } from '../../realtime/handshake.js';
import { isRefusal, type PlainConnection, Refused } from '../plain/plain-connection.js';
import { CLOSE, type Frame, type Nonsense, type PlainSocket } from '../plain/plain-socket.js';
import { PlainSockets } from '../plain/plain-sockets.js';
import { GymgemConversations } from './conversations.controller.js';
import { doerOf, FRAMES, type Frames, type News, type Parties, partyOf, WEB_FRAMES } from './gymgem.wire.js';

const NONSENSE: Record<Nonsense, string> = {
  no_json: 'Invalid JSON format',
  no_object: 'A message must be an object',
  too_large: 'This message is too large',
  too_many: 'Too many messages. Wait a moment.',
};

/** Where one is. */
interface Seat {
  actor: Actor;
  conversation_id: number;
  connection: PlainConnection;
}

/** `/ws/chat/{id}/`, at both bases: one conversation of the namespace /chat. */
@Injectable()
export class GymgemChatSockets implements OnModuleInit {
  /** What each broadcast is in each version of the client: all sockets of this server get the same. */
  private readonly told = new Map([FRAMES, WEB_FRAMES].map((frames) => [frames, new WeakMap<News, Promise<object>>()]));

  constructor(
    private readonly sockets: PlainSockets,
    private readonly actors: ActorResolver,
    private readonly conversations: ConversationsService,
    private readonly messages: MessagesService,
    private readonly common: GymgemConversations,
  ) {}

  onModuleInit(): void {
    this.serve(/^\/ws\/chat\/(?<id>[^/]+)$/, FRAMES);
    this.serve(/^\/gymgem-web\/ws\/chat\/(?<id>[^/]+)$/, WEB_FRAMES);
  }

  private serve(path: RegExp, frames: Frames): void {
    this.sockets.add({
      path,
      open: (socket, { id }, query) => this.open(socket, id!, query.get('token') ?? '', frames),
    });
  }

  private async open(socket: PlainSocket, given: string, token: string, frames: Frames): Promise<void> {
    try {
      const { actor } = await this.actors.resolve({ headers: { authorization: `Bearer ${token}` } });
      const id = fromDigits(given);
      if (typeof id !== 'number' || id < 1 || id > MAX_ID) return socket.close(CLOSE.not_found);
      let last = Promise.resolve();
      const connection = await socket.join('/chat', { token }, (event, payload) => {
        const news = payload as News;
        if (!(event in frames) || news.conversation_id !== id) return;
        const frame = this.frameOf(actor, frames, event, news);
        // In the order in which it was told.
        last = last.then(async () => socket.send(await frame)).catch((error: unknown) => socket.fail(error));
      });
      await this.conversations.requirePart(actor, id);
      const seat = { actor, conversation_id: id, connection };
      socket.converse({
        frame: (frame) => this.take(socket, seat, frame),
        nonsense: (problem) => socket.send(refusal(NONSENSE[problem])),
      });
    } catch (error) {
      if (!isRefusal(error)) throw error;
      socket.close(closeCodeOf(error));
    }
  }

  private async take(socket: PlainSocket, seat: Seat, frame: Frame): Promise<void> {
    try {
      await this.ask(seat, frame);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      socket.send(refusal(error.message));
    }
  }

  private async ask({ connection, ...seat }: Seat, frame: Frame): Promise<void> {
    const { type, message_id, content, new_content = content, is_typing = false } = frame;
    const { conversation_id } = seat;
    if (type === 'typing') await connection.ask('typing', { conversation_id, is_typing });
    else if (type === 'read' || type === 'edit' || type === 'delete') {
      await this.requireHere(seat, message_id);
      await connection.ask(type, { message_id, new_content });
    } else await connection.ask('message', { conversation_id, content });
  }

  /** What is no id, the namespace refuses. @throws MessageNotFound */
  private async requireHere({ actor, conversation_id }: Omit<Seat, 'connection'>, messageId: unknown): Promise<void> {
    const id = fromDigits(messageId);
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 1 || id > MAX_ID) return;
    const message = await this.messages.get(actor, id);
    if (message.conversation_id !== conversation_id) throw new MessageNotFound();
  }

  private frameOf(actor: Actor, frames: Frames, event: string, news: News): Promise<object> {
    const known = this.told.get(frames)!;
    const frame = known.get(news) ?? this.translate(actor, frames, event, news);
    known.set(news, frame);
    return frame;
  }

  private async translate(actor: Actor, frames: Frames, event: string, news: News): Promise<object> {
    const doer = doerOf(news);
    const isKnown = doer.username !== null && !(event === 'chat_message' && frames === WEB_FRAMES);
    const parties: Parties = isKnown
      ? new Map()
      : await this.common.parties(actor, [news.conversation_id]).catch(() => new Map());
    const translate = frames[event as keyof Frames] as (news: News, party: Party) => object;
    return translate(news, partyOf(parties, doer));
  }
}

/** One text twice, for two kinds of client. */
const refusal = (text: string) => ({ type: 'error', error: text, message: text });

function closeCodeOf(error: Refused | DomainError): number {
  if (error instanceof Refused) return error.close_code ?? CLOSE.our_fault;
  return error instanceof ConversationNotFound && error.isOfOthers ? CLOSE.not_allowed : closeCode(error);
}
