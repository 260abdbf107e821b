import { Injectable, type OnModuleInit } from '@nestjs/common';
import { clientOf } from '../../auth/client.js';
import type { Actor } from '../../common/actor/actor.js';
import { DESK } from '../../common/actor/roles.js';
import { TooManyRequests } from '../../common/errors/common.errors.js';
import { fromDigits } from '../../common/http/whole.js';
import type { SerialLineDto, SerialOutputDto } from '../../devices/dto/device.dto.js';
import { SlotsWatch } from '../../realtime/slots-watch.js';
import { TODAY } from '../../slots/watched-days.js';
import { codeOf, isOurFault, isRefusal } from '../plain/plain-connection.js';
import { CLOSE, type Frame, type PlainSocket } from '../plain/plain-socket.js';
import { PlainSockets } from '../plain/plain-sockets.js';
import { Refusal } from '../wire/refusal.js';
import { PublicDay } from './public-day.js';
import { noDevice, ReroDesk } from './rero-desk.js';
import { ReroPeople } from './rero-people.js';
import type { ReroDeviceDto } from './rero-slots.dto.js';
import { NONSENSE, textOf } from './slot-booking.sockets.js';

const NOT_AUTHENTICATED = 'Authentication failed';
/** After the end of the hour it is asked whether the next one is theirs, too. */
const SLACK_MS = 50;

/** As it comes over the wire. */
type SerialHistory = Omit<SerialOutputDto, 'updated_at'> & { updated_at: string | null };

/** `/devices/read/{n}`: what a lab board says, for who has the hour and for staff, by the namespace `/devices`. */
@Injectable()
export class DeviceReadSockets implements OnModuleInit {
  /** A line is told to many: it is translated once. */
  private readonly frames = new WeakMap<SerialLineDto, object>();

  constructor(
    private readonly plain: PlainSockets,
    private readonly day: PublicDay,
    private readonly watch: SlotsWatch,
    private readonly people: ReroPeople,
    private readonly desk: ReroDesk,
  ) {}

  onModuleInit(): void {
    this.plain.add({
      path: /^\/devices\/read\/(?<number>[^/]+)$/,
      open: (socket, { number }) => this.open(socket, number!),
    });
  }

  private async open(socket: PlainSocket, text: string): Promise<void> {
    const number = fromDigits(text);
    const device = typeof number === 'number' ? (await this.desk.devices())[number] : undefined;
    if (!device) return refuse(socket, noDevice(text));
    socket.expectSignIn();
    let isFirst = true;
    socket.converse({
      frame: async (frame) => {
        if (!isFirst) return socket.send({ type: 'error', message: 'This socket takes one message' });
        isFirst = false;
        socket.signedIn();
        await this.connect(socket, device, frame);
      },
      nonsense: (problem) => {
        if (isFirst) refuse(socket, 'Invalid JSON in authentication message');
        else socket.send({ type: 'error', message: NONSENSE[problem] });
      },
    });
  }

  private async connect(socket: PlainSocket, device: ReroDeviceDto, frame: Frame): Promise<void> {
    const { device_number } = device;
    /** The moment up to which the socket knows what was said; undefined until it does, null if it was nothing. */
    let knownUpTo: string | null | undefined;
    const early: SerialLineDto[] = [];
    const hear = (line: SerialLineDto): void => {
      if (knownUpTo === undefined) early.push(line);
      else if (knownUpTo === null || line.timestamp > knownUpTo) this.pass(socket, device_number, line);
    };
    try {
      const actor = await this.authenticate(socket, frame);
      const connection = await socket.join('/devices', actor, (event, payload) => {
        if (event === 'serial_output') hear(payload as SerialLineDto);
      });
      const read = async () =>
        connection.ask<SerialHistory>('read_serial', { device_number, gym_id: await this.day.gym() });
      const end = (thrown: unknown): void => {
        const words = wordsOf(thrown, device_number);
        connection.leave();
        if (words === null) socket.close(CLOSE.our_fault);
        else refuse(socket, words);
      };
      const isDesk = actor.is(...DESK);
      // The hour may be cancelled, too.
      const today = { gym_id: await this.day.gym(), date: TODAY };
      if (!isDesk) socket.whenGone(this.watch.watch(today, () => void read().catch(end)));
      const { output, updated_at } = await read();
      socket.send({ type: 'serial_output', device_number, output, timestamp: new Date().toISOString() });
      const message = `Connected to device ${device_number}`;
      socket.send({ type: 'connection_established', device_number, device_info: device, message });
      knownUpTo = updated_at;
      early.forEach(hear);
      if (!isDesk) await this.endWithTheHour(socket, read, end);
    } catch (thrown) {
      const words = wordsOf(thrown, device_number);
      if (words === null) throw thrown;
      refuse(socket, words);
    }
  }

  /** @throws Refusal, DomainError */
  private async authenticate(socket: PlainSocket, { token, email, password }: Frame): Promise<Actor> {
    const shown = { token: textOf(token), email: textOf(email), password: textOf(password) };
    return this.people.require(shown, clientOf({ ip: socket.address, headers: socket.request.headers }));
  }

  private pass(socket: PlainSocket, number: number, line: SerialLineDto): void {
    if (line.device_number !== number) return;
    const frame = this.frames.get(line) ?? { type: 'serial_output', ...line };
    this.frames.set(line, frame);
    socket.send(frame);
  }

  private async endWithTheHour(
    socket: PlainSocket,
    readAgain: () => Promise<unknown>,
    end: (thrown: unknown) => void,
  ): Promise<void> {
    const { now, slots } = await this.day.read();
    const endsAt = slots.find(({ starts_at, ends_at }) => starts_at <= now && now < ends_at)?.ends_at ?? now;
    const timer = setTimeout(
      () => {
        forget();
        void readAgain()
          .then(() => this.endWithTheHour(socket, readAgain, end))
          .catch(end);
      },
      endsAt.getTime() - now.getTime() + SLACK_MS,
    ).unref();
    const forget = socket.whenGone(() => clearTimeout(timer));
  }
}

function refuse(socket: PlainSocket, message: string): void {
  socket.send({ type: 'error', message });
  socket.close(CLOSE.done);
}

/** null: it is no refusal, but our fault. */
function wordsOf(thrown: unknown, number: number): string | null {
  if (thrown instanceof TooManyRequests) return thrown.message;
  if (thrown instanceof Refusal) return NOT_AUTHENTICATED;
  if (!isRefusal(thrown) || isOurFault(codeOf(thrown))) return null;
  if (codeOf(thrown) === 'device_not_found') return noDevice(number);
  if (codeOf(thrown) === 'hour_not_booked') return thrown.message.replace(/\.$/, ` to access device ${number}`);
  return NOT_AUTHENTICATED;
}
