import { Injectable, type OnModuleInit } from '@nestjs/common';
import { AuthService } from '../../auth/auth.service.js';
import type { Actor } from '../../common/actor/actor.js';
import { ActorResolver } from '../../common/actor/actor-resolver.js';
import { DESK } from '../../common/actor/roles.js';
import { NotSignedIn, PasswordChangeRequired, RoleNotAllowed } from '../../common/errors/common.errors.js';
import { Config } from '../../config/config.js';
import type { ReaderConnectedDto } from '../../devices/dto/device-messages.dto.js';
import { closeCode } from '../../realtime/handshake.js';
import { isRefusal, type PlainConnection, Refused } from '../plain/plain-connection.js';
import { CLOSE, type PlainSocket } from '../plain/plain-socket.js';
import { PlainSockets } from '../plain/plain-sockets.js';
import {
  errorFrame,
  idIn,
  NO_DEVICE,
  nonsenseFrame,
  SIGN_IN_FIRST,
  TO_CONSOLE,
  translator,
} from './fastapi-gym.wire.js';
import { answerFrame, type FrameKinds } from './frames.js';

/** The frames of a console. */
const FRAMES: FrameKinds = {
  fingerprint_connected: {
    ask: async (devices, { gym_id }) => {
      const found = await devices.ask<ReaderConnectedDto>('fingerprint_connected', { gym_id });
      return [{ type: 'fingerprint_connection_stablished', gym_id: String(found.gym_id) }];
    },
    wrongField: NO_DEVICE,
  },
  user: {
    // It goes on to a device; when that is ready, `user_established` comes.
    ask: async (devices, { user_id }) => {
      await devices.ask('user', { user_id: idIn(user_id) });
      return [];
    },
  },
};

const translate = translator(TO_CONSOLE);

/** `/ws/user/{user_id}`: the console of a staff member, who enrols fingers. */
@Injectable()
export class ConsoleSockets implements OnModuleInit {
  constructor(
    private readonly sockets: PlainSockets,
    private readonly actors: ActorResolver,
    private readonly auth: AuthService,
    private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.sockets.add({
      path: /^\/ws\/user\/(?<user_id>\d+)$/,
      open: (socket, { user_id }, query) => this.open(socket, idIn(user_id), query.get('token')),
    });
  }

  /** @param token null: none is in the address */
  private async open(socket: PlainSocket, userId: number | undefined, token: string | null): Promise<void> {
    if (userId === undefined) return socket.close(CLOSE.not_found);
    let devices: PlainConnection | undefined;
    const enter = async (given: unknown) => {
      const before = devices;
      devices = await this.enter(socket, userId, given);
      before?.leave();
    };
    socket.converse({
      frame: async (frame) => {
        if (frame.type === 'authenticate') await enter(frame.token);
        else if (!devices) socket.send(errorFrame(SIGN_IN_FIRST));
        else await answerFrame(FRAMES, socket, devices, frame);
      },
      nonsense: (problem) => socket.send(nonsenseFrame(problem)),
    });
    if (token !== null || this.config.FASTAPI_GYM_OPEN_CONSOLES) return enter(token);
    socket.expectSignIn();
  }

  /** Signs the console in, or closes the socket. */
  private async enter(socket: PlainSocket, userId: number, token: unknown): Promise<PlainConnection | undefined> {
    try {
      const staff = await this.staffOf(token, userId);
      let isIn = false;
      const devices = await socket.join('/devices', staff, (event, payload) => {
        const frame = isIn && translate(event, payload);
        if (frame) socket.send(frame);
      });
      socket.signedIn();
      socket.send({ type: 'connected' });
      isIn = true;
      return devices;
    } catch (thrown) {
      if (!isRefusal(thrown)) throw thrown;
      socket.close(thrown instanceof Refused ? (thrown.close_code ?? CLOSE.not_signed_in) : closeCode(thrown));
      return undefined;
    }
  }

  /**
   * The person of this token, who is the one that the path names, and may enrol.
   * @throws NotSignedIn, SessionEnded, PasswordChangeRequired, RoleNotAllowed
   */
  private async staffOf(token: unknown, userId: number): Promise<Actor> {
    const isOpen = token === null && this.config.FASTAPI_GYM_OPEN_CONSOLES;
    const actor = isOpen ? await this.auth.actorWithoutProof(userId) : await this.actorOf(token);
    if (actor.user_id !== userId || !actor.is(...DESK)) throw new RoleNotAllowed();
    return actor;
  }

  private async actorOf(token: unknown): Promise<Actor> {
    if (typeof token !== 'string') throw new NotSignedIn();
    const { actor, must_change_password } = await this.actors.resolve({
      headers: { authorization: `Bearer ${token}` },
    });
    if (must_change_password) throw new PasswordChangeRequired();
    return actor;
  }
}
