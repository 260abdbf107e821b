import { Injectable, type OnModuleInit } from '@nestjs/common';
import { MAX_ID } from '../../common/http/whole.js';
import type { AccessDto } from '../../devices/dto/access.dto.js';
import type {
  StartEnrollmentDto,
  TemplatePageDto,
  ToldDto,
  UserRefDto,
} from '../../devices/dto/device-messages.dto.js';
import { isRefusal, type PlainConnection } from '../plain/plain-connection.js';
import { CLOSE, type Frame, type PlainSocket } from '../plain/plain-socket.js';
import { PlainSockets } from '../plain/plain-sockets.js';
import {
  access,
  errorFrame,
  idIn,
  isOfWrongGym,
  LOGIN_TEXTS,
  NO_FINGER,
  nonsenseFrame,
  NOT_OF_THIS_GYM,
  SIGN_IN_FIRST,
  startEnrollment,
  stored,
  templates,
  textOf,
  TO_DEVICE,
  translator,
  unheard,
  WRONG_CREDENTIALS,
} from './fastapi-gym.wire.js';
import { answerFrame, type FrameKinds } from './frames.js';

/** No one has this id: a device that asks for it has chosen no one any more. */
const NOBODY = MAX_ID;

/** The frames of a device that has signed in. */
const FRAMES: FrameKinds = {
  user: {
    ask: async (devices, { user_id }) => [
      startEnrollment(await devices.ask<StartEnrollmentDto>('user', { user_id: idIn(user_id) ?? NOBODY })),
    ],
    refuse: (error) => [{ type: 'user_error', error }, errorFrame(error)],
  },
  store_fingerprint: {
    ask: async (devices, { fingerprint_data, finger }) => [
      stored(await devices.ask<UserRefDto>('store_fingerprint', { fingerprint_data, finger: idIn(finger) })),
    ],
    wrongField: NO_FINGER,
    refuse: (error) => [{ type: 'store_error', error }],
  },
  finger1_captured: { ask: async (devices) => unheard(await devices.ask<ToldDto>('finger1_captured')) },
  enrollment_completed: {
    ask: async (devices, { user_id }) =>
      unheard(await devices.ask<ToldDto>('enrollment_completed', { user_id: idIn(user_id) })),
  },
  user_found: {
    ask: async (devices, { user_id }) => [
      access(await devices.ask<AccessDto>('user_found', { user_id: idIn(user_id) })),
    ],
  },
  user_not_found: { ask: async (devices) => unheard(await devices.ask<ToldDto>('user_not_found')) },
  download_templates: {
    // After the last page comes `download_templates_completed`, which is heard.
    ask: async (devices) => [templates(await devices.ask<TemplatePageDto>('download_templates'))],
  },
};

const translate = translator(TO_DEVICE);

/** `/ws/gym/{gym_id}`: a fingerprint reader, which staff signs in. */
@Injectable()
export class DeviceSockets implements OnModuleInit {
  constructor(private readonly sockets: PlainSockets) {}

  onModuleInit(): void {
    this.sockets.add({
      path: /^\/ws\/gym\/(?<gym_id>\d+)$/,
      open: (socket, { gym_id }) => this.open(socket, idIn(gym_id)),
    });
  }

  private async open(socket: PlainSocket, gymId: number | undefined): Promise<void> {
    if (gymId === undefined) return socket.close(CLOSE.not_found);
    // It may sign in within ten seconds: the namespace sees to that.
    const devices = await socket.join('/devices', {}, (event, payload) => {
      const frame = translate(event, payload);
      if (frame) socket.send(frame);
    });
    let isSignedIn = false;
    socket.converse({
      frame: async (frame) => {
        if (frame.type === 'login') isSignedIn = (await this.login(socket, devices, gymId, frame)) || isSignedIn;
        else if (!isSignedIn) socket.send(errorFrame(SIGN_IN_FIRST));
        else if (frame.type === 'disconnect') socket.close(CLOSE.done);
        else await answerFrame(FRAMES, socket, devices, frame);
      },
      nonsense: (problem) => socket.send(nonsenseFrame(problem)),
    });
  }

  /** @returns whether the device is signed in now */
  private async login(
    socket: PlainSocket,
    devices: PlainConnection,
    gymId: number,
    { login_data }: Frame,
  ): Promise<boolean> {
    try {
      await devices.ask('login', { login_data, gym_id: gymId });
    } catch (thrown) {
      if (!isRefusal(thrown)) throw thrown;
      socket.send(errorFrame(isOfWrongGym(thrown) ? NOT_OF_THIS_GYM : textOf(thrown, WRONG_CREDENTIALS, LOGIN_TEXTS)));
      return false;
    }
    socket.send({ type: 'connected' });
    return true;
  }
}
